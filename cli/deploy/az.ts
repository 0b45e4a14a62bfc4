import type { Command } from './command.ts';
import type { Target } from './options.ts';
import { openReach, type Reach, reachVariables } from './reach.ts';

/** Every command of a deployment, as data: what is shown, what a dry run prints and what is run are the same. */

/** How far infra/main.bicep goes. */
export type Stage = 'foundation' | 'access' | 'all';

export interface Officer {
  objectId: string;
  type: string;
}

/** What becomes known on the way. A dry run has `<…>` instead. */
export interface Known {
  authClientId: string;
  /** Object id of the registration, which Microsoft Graph addresses it by. */
  authObjectId: string;
  /** Object id of its service principal, which has the roles of people. */
  servicePrincipal: string;
  alertEmails: string[];
  /** Object ids of who may call the app. */
  callers: string[];
  /** Object ids of groups whose members may. */
  callerGroups: string[];
  /** Client ids that they may use; null: as infra/ has it. */
  callerClients: string[] | null;
  /** Whether the action group stands: it is left as it is, with receivers that someone added by hand. */
  channelsStand: boolean;
  /** Where docs/runbook.md is read; empty: alerts name the file. */
  runbookUrl: string;
  /** First day of the month of the first deployment, `YYYY-MM-01`: Azure takes no other for a budget that stands. */
  budgetStart: string;
  /** In whose network, over how many buildings. */
  reach: Reach;
  /** Who may set secrets. */
  secretOfficers: Officer[];
  registry: string;
  loginServer: string;
  vault: string;
  app: string;
  /** Id of the subscription that az is set to: func has a choice of its own. */
  subscription: string;
  /** Microsoft Graph of the cloud that az is set to. */
  graph: string;
  /** Of the image that jobs run in: `sha256:…`; null: not known yet. */
  digest: string | null;
}

export const placeholders: Known = {
  authClientId: '<auth-client-id>',
  authObjectId: '<auth-object-id>',
  servicePrincipal: '<service-principal>',
  alertEmails: ['<alert-emails>'],
  callers: ['<your-object-id>'],
  callerGroups: [],
  budgetStart: '<first-of-month>',
  channelsStand: false,
  runbookUrl: '',
  callerClients: null,
  reach: openReach,
  secretOfficers: [{ objectId: '<your-object-id>', type: 'User' }],
  registry: '<registry>',
  loginServer: '<registry>.azurecr.io',
  vault: '<vault>',
  app: '<app>',
  subscription: '<subscription>',
  graph: 'https://graph.microsoft.com',
  digest: null,
};

export const imageName = 'lamplighter-runtime';
/** Folders and files of this machine that commands read, below the root. */
export const workFolder = '.lamplighter/deploy';
export const imageFolder = `${workFolder}/image`;
export const scopeFile = `${workFolder}/registration-scope.json`;
export const roleFile = `${workFolder}/registration-role.json`;
export const clientFile = `${workFolder}/registration-client.json`;

const json = ['--output', 'json'];

export const versionOfAz: Command = { argv: ['az', 'version', ...json] };
export const versionOfBicep: Command = { argv: ['az', 'bicep', 'version'] };
export const versionOfFunc: Command = { argv: ['func', '--version'] };
/** Sovereign clouds have addresses of their own. */
export const cloud: Command = { argv: ['az', 'cloud', 'show', ...json] };
export const account: Command = { argv: ['az', 'account', 'show', ...json] };

export const groupExists = ({ group }: Target): Command => ({ argv: ['az', 'group', 'exists', '--name', group] });

export const groupCreate = ({ group, location = '<location>' }: Target): Command => ({
  argv: ['az', 'group', 'create', '--name', group, '--location', location, '--output', 'none'],
});

/** Of one stage: what the foundation has made is known also when a later stage has failed. */
const deploymentName = ({ name }: Target, stage: Stage) => `lamplighter-${name}-${stage}`;

export const showDeployment = (target: Target, stage: Stage): Command => {
  const place = ['--resource-group', target.group, '--name', deploymentName(target, stage)];
  return { argv: ['az', 'deployment', 'group', 'show', ...place, ...json] };
};

/** Objects in Entra by which the deploying person, or pipeline, is let in. */
export const whoAmI: Command = { argv: ['az', 'ad', 'signed-in-user', 'show', ...json] };
export const whichPrincipal = (clientId: string): Command => ({
  argv: ['az', 'ad', 'sp', 'show', '--id', clientId, ...json],
});

/** Keeps a token for the app in az's cache; nothing is printed. */
export const earlyToken = ({ authClientId }: Pick<Known, 'authClientId'>): Command => ({
  argv: ['az', 'account', 'get-access-token', '--resource', authClientId, '--output', 'none'],
});

export const makePackage: Command = { argv: ['npm', 'run', 'package'], live: 'all' };

/** infra/<environment>.bicepparam reads these; az compiles it, so that they are seen there. */
function variables(known: Known, stage: Stage): Record<string, string> {
  return {
    LAMPLIGHTER_STAGE: stage,
    LAMPLIGHTER_AUTH_CLIENT_ID: known.authClientId,
    LAMPLIGHTER_ALERT_EMAILS: known.alertEmails.join(','),
    ...(known.channelsStand && { LAMPLIGHTER_KEEP_ACTION_GROUP: 'true' }),
    ...(known.runbookUrl && { LAMPLIGHTER_RUNBOOK_URL: known.runbookUrl }),
    LAMPLIGHTER_BUDGET_START: known.budgetStart,
    LAMPLIGHTER_CALLERS: JSON.stringify(known.callers),
    ...(known.callerGroups.length > 0 && { LAMPLIGHTER_CALLER_GROUPS: JSON.stringify(known.callerGroups) }),
    ...(known.callerClients && { LAMPLIGHTER_CALLER_CLIENTS: JSON.stringify(known.callerClients) }),
    ...reachVariables(known.reach),
    LAMPLIGHTER_SECRET_OFFICERS: JSON.stringify(known.secretOfficers),
    ...(stage === 'all' && { LAMPLIGHTER_IMAGE_DIGEST: known.digest ?? '<digest>' }),
  };
}

function template(target: Target, stage: Stage): string[] {
  const place = ['--resource-group', target.group, '--name', deploymentName(target, stage)];
  return [...place, '--parameters', `infra/${target.environment}.bicepparam`, '--parameters', `name=${target.name}`];
}

export const deploy = (target: Target, known: Known, stage: Stage): Command => ({
  argv: ['az', 'deployment', 'group', 'create', ...template(target, stage), '--no-prompt', 'true', ...json],
  env: variables(known, stage),
  live: 'stderr',
});

export const whatIf = (target: Target, known: Known): Command => ({
  argv: ['az', 'deployment', 'group', 'what-if', ...template(target, 'all'), '--no-prompt', 'true'],
  env: variables(known, 'all'),
  live: 'all',
});

export const findDigest = ({ registry }: Known, digest: string): Command => ({
  argv: ['az', 'acr', 'repository', 'show', '--name', registry, '--image', `${imageName}@${digest}`, ...json],
});

export const findTag = ({ registry }: Known, tag: string): Command => ({
  argv: ['az', 'acr', 'repository', 'show', '--name', registry, '--image', `${imageName}:${tag}`, ...json],
});

/** The very image, by its digest, from another registry; whatever subscription that is in. */
export const importImage = ({ registry }: Pick<Known, 'registry'>, from: string, digest: string): Command => {
  const source = ['--registry', from, '--source', `${imageName}@${digest}`];
  const as = ['--image', `${imageName}:${digest.slice('sha256:'.length, 'sha256:'.length + 16)}`, '--force'];
  return { argv: ['az', 'acr', 'import', '--name', registry, ...source, ...as] };
};

export function buildImage({ base, builder }: Target, { registry, loginServer }: Known, tag: string): Command[] {
  const build = ['--build-arg', `BASE=${base}`, '--platform'];
  if (builder === 'acr') {
    const acr: Command['argv'] = ['az', 'acr', 'build', '--registry', registry, '--image', `${imageName}:${tag}`];
    return [{ argv: [...acr, ...build, 'linux', imageFolder, '--output', 'none'], live: 'all' }];
  }
  const image = `${loginServer}/${imageName}:${tag}`;
  return [
    { argv: ['az', 'acr', 'login', '--name', registry], live: 'all' },
    { argv: ['docker', 'build', '--pull', ...build, 'linux/amd64', '--tag', image, imageFolder], live: 'all' },
    { argv: ['docker', 'push', image], live: 'all' },
  ];
}

/** Names and attributes; `list` never returns values. */
export const listSecrets = ({ vault }: Pick<Known, 'vault'>): Command => ({
  argv: ['az', 'keyvault', 'secret', 'list', '--vault-name', vault, ...json],
});

/** The same from Azure's management, which reaches a vault that is in a network; no values either. */
export const listSecretsOutside = (
  { group }: Target,
  { vault, subscription }: Pick<Known, 'vault' | 'subscription'>,
  next?: string,
): Command => {
  const place = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/${vault}`;
  const url = next ?? `${place}/secrets?api-version=2026-02-01`;
  return { argv: ['az', 'rest', '--method', 'get', '--url', url, ...json] };
};

/**
 * Core Tools ask the project for its language, which a prepared folder does not say; the variable does (read in
 * PublishFunctionAppAction of their sources). Without --show-keys no key is printed.
 */
export const publish = ({ app, subscription }: Pick<Known, 'app' | 'subscription'>): Command => ({
  argv: ['func', 'azure', 'functionapp', 'publish', app, '--no-build', '--subscription', subscription],
  folder: 'dist/app',
  env: { FUNCTIONS_WORKER_RUNTIME: 'node' },
  live: 'all',
});

const channelName = ({ name }: Target) => `ag-${name}`;

export const showChannel = (target: Target, { subscription }: Pick<Known, 'subscription'>): Command => {
  const group = `/subscriptions/${subscription}/resourceGroups/${target.group}`;
  const url = `${group}/providers/Microsoft.Insights/actionGroups/${channelName(target)}?api-version=2023-01-01`;
  return { argv: ['az', 'rest', '--method', 'get', '--url', url, ...json] };
};

/** Beside those that are there. */
export const addReceiver = (target: Target, address: string): Command => {
  const place = ['--name', channelName(target), '--resource-group', target.group];
  const receiver = ['--add-action', 'email', address, address, 'usecommonalertschema'];
  return { argv: ['az', 'monitor', 'action-group', 'update', ...place, ...receiver, '--output', 'none'] };
};

/** The address of the app in Azure's management. */
const siteOf = ({ group }: Target, { app, subscription }: Pick<Known, 'app' | 'subscription'>) =>
  `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Web/sites/${app}`;

/** Flex Consumption reads the functions of a new package by itself; this makes sure. */
export const syncTriggers = (target: Target, known: Pick<Known, 'app' | 'subscription'>): Command => ({
  argv: [
    'az',
    'rest',
    '--method',
    'post',
    '--url',
    `${siteOf(target, known)}/syncfunctiontriggers?api-version=2025-03-01`,
  ],
});

/** A restart alone has been seen not to bring a dead timer back (azure-functions-host #11828). */
export const stopAndStart = ({ group }: Target, { app }: Pick<Known, 'app'>): Command[] =>
  ['stop', 'start'].map((verb) => ({ argv: ['az', 'functionapp', verb, '--name', app, '--resource-group', group] }));

export const verify = ({ group }: Target, { app }: Pick<Known, 'app'>): Command => ({
  argv: ['lamp', 'verify', '--app', app, '--resource-group', group],
});
