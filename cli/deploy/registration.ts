import { join } from 'node:path';
import { z } from 'zod';
import { azureCli } from '../azure-cli.ts';
import { Refusal } from '../refusal.ts';
import { type AppRole, appRole, appRoles, makeAdmins } from './app-roles.ts';
import { clientFile, cloud, type Known, scopeFile } from './az.ts';
import { stableGuid, writeBody } from './body.ts';
import type { Command } from './command.ts';
import type { Deployment } from './deployment.ts';
import type { Target } from './options.ts';

const displayName = ({ name }: Target) => `Lamplighter ${name}`;

export const findRegistration = (target: Target): Command => ({
  argv: ['az', 'ad', 'app', 'list', '--display-name', displayName(target), '--output', 'json'],
});

export const createRegistration = (target: Target): Command => {
  const name = ['--display-name', displayName(target), '--sign-in-audience', 'AzureADMyOrg'];
  return { argv: ['az', 'ad', 'app', 'create', ...name, '--output', 'json'] };
};

/** Two requests: a scope must be there before a client can be authorised for it. */
export const describeRegistration = ({ authObjectId, graph }: Known): Command[] =>
  [scopeFile, clientFile].map((file) => {
    const url = `${graph}/v1.0/applications/${authObjectId}`;
    const headers = ['--headers', 'Content-Type=application/json'];
    return { argv: ['az', 'rest', '--method', 'patch', '--url', url, ...headers, '--body', `@${file}`] };
  });

export const findPrincipal = ({ authClientId }: Known): Command => ({
  argv: ['az', 'ad', 'sp', 'show', '--id', authClientId, '--output', 'json'],
});

export const createPrincipal = ({ authClientId }: Known): Command => ({
  argv: ['az', 'ad', 'sp', 'create', '--id', authClientId, '--output', 'json'],
});

/**
 * What Microsoft Graph is to write: the app's own address, tokens of version 2, and one scope, for which the Azure CLI
 * is authorised: without that `lamp verify` gets no token (AADSTS65001); and the app roles. No secret, no certificate, no permission.
 */
export function registrationBodies(appId: string, there: readonly AppRole[] = []) {
  const scope = stableGuid(`${appId} user_impersonation`);
  return {
    [scopeFile]: {
      identifierUris: [`api://${appId}`],
      appRoles: appRoles(appId, there),
      api: {
        requestedAccessTokenVersion: 2,
        oauth2PermissionScopes: [
          {
            id: scope,
            value: 'user_impersonation',
            type: 'User',
            isEnabled: true,
            adminConsentDisplayName: 'Call Lamplighter',
            adminConsentDescription: 'Call Lamplighter as the person who is signed in.',
            userConsentDisplayName: 'Call Lamplighter',
            userConsentDescription: 'Call Lamplighter as you.',
          },
        ],
      },
    },
    [clientFile]: { api: { preAuthorizedApplications: [{ appId: azureCli, delegatedPermissionIds: [scope] }] } },
  };
}

const endpointsShape = z.object({ endpoints: z.object({ microsoftGraphResourceId: z.url() }) });
const found = z.array(
  z.object({ appId: z.string(), id: z.string(), displayName: z.string(), appRoles: z.array(appRole).nullish() }),
);
const principalShape = z.object({ id: z.string() });

/** Finds the app registration that stands in front of the app, or makes it. @returns its client id */
export async function registration(deployment: Deployment): Promise<string> {
  const { target } = deployment;
  const { endpoints } = await deployment.json(cloud, endpointsShape);
  deployment.known.graph = endpoints.microsoftGraphResourceId.replace(/\/$/, '');
  const all = (await deployment.json(findRegistration(target), found)).filter(
    (one) => one.displayName === displayName(target),
  );
  if (all.length > 1) {
    const ids = all.map(({ appId }) => appId).join(', ');
    throw new Refusal(
      `There are ${all.length} app registrations called ${displayName(target)}: ${ids}. Say which: --auth-client-id`,
    );
  }
  const { appId, id, appRoles: there } = all[0] ?? (await deployment.json(createRegistration(target), found.element));
  const bodies = registrationBodies(appId, there ?? []);
  for (const [file, body] of Object.entries(bodies)) await writeBody(join(deployment.root, file), body);
  Object.assign(deployment.known, { authClientId: appId, authObjectId: id });
  const { known } = deployment;
  for (const command of describeRegistration(known)) await deployment.must(command);
  const principal =
    (await deployment.maybe(findPrincipal(known), principalShape)) ??
    (await deployment.json(createPrincipal(known), principalShape));
  known.servicePrincipal = principal.id;
  await makeAdmins(deployment, appRoles(appId, there ?? []));
  return appId;
}
