import { type Command, commandText } from './command.ts';
import type { Answer } from './run.ts';

export interface Cause {
  /** In what the program printed. */
  says: RegExp;
  /** Shown in docs/deploy.md, where a test looks for it. */
  sign: string;
  cause: string;
  remedy: string;
}

/** Failures that IT meets, the more special ones first. `docs/deploy.md` has the same table. */
export const causes: Cause[] = [
  {
    says: /AADSTS700024/,
    sign: 'AADSTS700024',
    cause: 'the token with which this pipeline signed in has expired, and something new was asked for',
    remedy: 'sign in again (azure/login), then go on; when only verify was left: lamp verify',
  },
  {
    says: /az login|AADSTS(50076|50079|70043|700082|500133)|No subscription found|refresh token has expired/,
    sign: 'Please run ‘az login’',
    cause: 'no one is signed in, or the session has expired',
    remedy: 'az login (with several tenants: az login --tenant <tenant>)',
  },
  {
    says: /AADSTS65001|consent_required/,
    sign: 'AADSTS65001',
    cause: 'the Azure CLI may not call the app: its registration does not authorise it',
    remedy: 'authorise the Azure CLI in the registration, as docs/deploy.md says under Rights',
  },
  {
    says: /Insufficient privileges to complete the operation|Authorization_RequestDenied/,
    sign: 'Insufficient privileges to complete the operation',
    cause: 'you may not make app registrations in Entra',
    remedy: 'ask for the role Application Developer, or let an administrator make one and give it: --auth-client-id',
  },
  {
    says: /(roleAssignments|roleDefinitions|locks)\/write/,
    sign: 'roleAssignments/write',
    cause: 'you may make resources, but give no rights',
    remedy: 'you need Owner, or Contributor and User Access Administrator, on the resource group; then again',
  },
  {
    says: /MissingSubscriptionRegistration|not registered to use namespace/,
    sign: 'MissingSubscriptionRegistration',
    cause: 'the subscription has never used one of the services',
    remedy: 'az provider register --wait --namespace <the namespace named above>; then again',
  },
  {
    says: /DeploymentActive/,
    sign: 'DeploymentActive',
    cause: 'another deployment of the same name is under way',
    remedy: 'wait until it is over (az deployment group list --output table), then again',
  },
  {
    says: /VaultAlreadyExists|deleted state|soft.?deleted|ConflictError/i,
    sign: 'VaultAlreadyExists',
    cause: 'a vault of this name was deleted and is kept until its retention ends',
    remedy: 'az keyvault recover --name <vault>, or deploy under another --name',
  },
  {
    says: /RoleAssignmentUpdateNotPermitted/,
    sign: 'RoleAssignmentUpdateNotPermitted',
    cause: 'an identity was deleted and made again, and a right of the old one is still there',
    remedy: 'delete such rights: docs/deploy.md, When a step fails, has the command; then again',
  },
  {
    says: /RoleAssignmentExists/,
    sign: 'RoleAssignmentExists',
    cause: 'a person has given by hand a right that infra/ gives',
    remedy: 'delete theirs (az role assignment list --all, then delete --ids); then again',
  },
  {
    says: /PrincipalNotFound/,
    sign: 'PrincipalNotFound',
    cause: 'a new identity is not known everywhere in Entra yet',
    remedy: 'wait two minutes, then again: what has been made is kept',
  },
  {
    says: /unable to (get|fetch) value using Managed identity|ContainerAppSecretKeyVaultUrlInvalid|Failed to provision.*secret/i,
    sign: 'unable to get value using Managed identity',
    cause: 'a job’s identity cannot read its secret yet (a new role takes minutes), or the secret is disabled',
    remedy:
      'wait five minutes, then lamp deploy --from jobs; still so: az keyvault secret list shows whether it is enabled',
  },
  {
    says: /ForbiddenByRbac|ForbiddenByPolicy|Caller is not authorized to perform action/,
    sign: 'ForbiddenByRbac',
    cause:
      'you may not look into the vault, as Owner and Contributor do not include that, or may since some minutes only',
    remedy:
      'wait five minutes, then again; else LAMPLIGHTER_SECRET_OFFICERS must name you (docs/deploy.md, Rights): lamp deploy --from jobs',
  },
  {
    says: /ForbiddenByFirewall|ForbiddenByConnection|Public network access is disabled|Ip Forbidden|client with IP \S+ is not allowed/i,
    sign: 'ForbiddenByFirewall',
    cause: 'the network rules of the resource keep this machine out',
    remedy:
      'run this from a machine that the rules let in: in the network, or with an address of --allowed-addresses (docs/network.md)',
  },
  {
    says: /TasksOperationsNotAllowed/,
    sign: 'TasksOperationsNotAllowed',
    cause: 'the registry may not build images in this subscription (free credit, for one)',
    remedy: 'build on this machine: --builder docker',
  },
  {
    says: /toomanyrequests|TOOMANYREQUESTS|pull rate limit/,
    sign: 'toomanyrequests',
    cause: 'Docker Hub gives no more anonymous downloads for now',
    remedy: 'take the base from a registry of yours: --base <registry>/python:3.12-slim, or try again in an hour',
  },
  {
    says: /MaxNumberOf\w*EnvironmentsInSubExceeded|QuotaExceeded|exceeds? .{0,40}quota/i,
    sign: 'QuotaExceeded',
    cause: 'the subscription has no room for this in the region',
    remedy: 'ask for more quota in the portal, or deploy to another --location with another --resource-group',
  },
  {
    says: /LocationNotAvailable|not available in location|LocationIsOfferRestricted|InvalidResourceLocation/,
    sign: 'LocationNotAvailableForResourceType',
    cause: 'a service is not offered in this region, or the group holds it in another',
    remedy:
      'az functionapp list-flexconsumption-locations shows regions; choose one with --location and a new --resource-group',
  },
  {
    says: /RequestDisallowedByPolicy/,
    sign: 'RequestDisallowedByPolicy',
    cause: 'a policy of your company forbids a resource as it is described',
    remedy:
      'the message above names the policy: ask for an exemption, or set what it wants in infra/<environment>.bicepparam',
  },
  {
    says: /BCP\d{3}|InvalidTemplate\b/,
    sign: 'BCP',
    cause: 'infra/ is not valid for this Bicep: an older Bicep, or an edit',
    remedy: 'az bicep upgrade; after an edit: npm test -- test/infra/bicep.test.ts',
  },
  {
    says: /Deployment was successful but the app appears to be unhealthy/,
    sign: 'the app appears to be unhealthy',
    cause: 'the upload went well; func then asked the app for its state, and got no good answer',
    remedy: 'lamp deploy goes on to verify, which looks itself; by hand: lamp verify',
  },
  {
    says: /unable to (pull|fetch).*(Managed identity|image)|unable to pull image/i,
    sign: 'unable to pull image using Managed identity',
    cause: 'the right to pull the image is not effective yet (a new role takes minutes)',
    remedy: 'lamp deploy tries this again by itself for 10 minutes; still so: lamp verify, roles',
  },
  {
    says: /Can't find app with name|Unable to connect to Azure\./,
    sign: 'Can’t find app with name',
    cause: 'func looks in the subscription that az has chosen, and the app is in another',
    remedy: 'az account set --subscription <subscription>, then lamp deploy --from app',
  },
  {
    says: /Worker runtime is not set|FUNCTIONS_WORKER_RUNTIME/,
    sign: 'Worker runtime is not set',
    cause: 'func was not reported that this is Node',
    remedy: 'FUNCTIONS_WORKER_RUNTIME=node must be set, as lamp deploy does',
  },
  {
    says: /AuthorizationFailed|AuthorizationPermissionMismatch|LinkedAuthorizationFailed|\b403\b|Forbidden/,
    sign: 'AuthorizationFailed',
    cause: 'a right is missing, or was given less than five minutes ago',
    remedy: 'the message above names the action and the scope: docs/deploy.md, Rights; then again',
  },
  {
    says: /getaddrinfo|Name or service not known|Max retries exceeded|Connection (refused|reset|aborted)|timed out/i,
    sign: 'Max retries exceeded',
    cause: 'Azure was not reached: network, proxy or an outage',
    remedy: 'again; behind a proxy set HTTPS_PROXY',
  },
];

const mostLines = 15;

/** Why a command failed, in the program's words, in ours, and what to do. */
export function failureText(command: Command, { code, stdout, stderr }: Answer): string {
  // Standard output of a command may hold a token or a setting: only what is said of errors is shown.
  const said = stderr.trim() || (command.live === 'all' ? stdout.trim() : '');
  const lines = said.split(/\r?\n/).filter((line) => line.trim() !== '');
  const known = causes.find(({ says }) => says.test(said));
  return [
    `${commandText(command)} ended with ${code}:`,
    ...(command.live === undefined ? lines.slice(-mostLines) : lines.slice(-3)).map((line) => `  ${line}`),
    ...(known ? [`Cause: ${known.cause}.`, `Do:    ${known.remedy}.`] : ['docs/deploy.md has a table of failures.']),
  ].join('\n');
}
