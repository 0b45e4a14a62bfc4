import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach } from 'vitest';
import { processRun } from '../../../cli/deploy/run.ts';
import type { Finding } from '../../../cli/verify/finding.ts';
import { functionNames } from '../../../cli/verify/judge.ts';
import { builtIn, jobActions } from '../../../cli/verify/roles.ts';
import { findings } from '../../../cli/verify/verify.ts';
import { azureTools, type Scripted, type Tools } from './azure-tools.ts';

/** An installation in which everything is right: az that reports it, and an app that ticks. Made anew for each test. */
const subscription = '/subscriptions/s-1';
export const group = `${subscription}/resourceGroups/rg-1`;
export const digest = `sha256:${'a'.repeat(64)}`;
export const image = `cr1.azurecr.io/lamplighter-runtime@${digest}`;
const clientId = '33333333-3333-4333-8333-333333333333';
export const starter = '44444444-4444-4444-8444-444444444444';
export const key = 'this-is-a-value-no one-may-see';

export let tools: Tools;
export let app: Server;
export let host: string;
export let said: string[];
let looks: number;
/** How the app behaves; a test may change it. */
export const behaviour = {
  /** What /health says, one after another; the last one for ever. */
  ticks: [] as (string | null)[],
  /** How many launches it says to be set aside; undefined: as an app of before, which did not report it. */
  setAside: 0 as number | undefined,
  /** What an unauthenticated call is answered with. */
  open: 401,
  wanted: '',
  /** Whether any bearer token opens. */
  anyToken: false,
};

/** Makes it anew for each test of the file that calls this. */
export function verifyWorld(): void {
  beforeEach(async () => {
    tools = await azureTools(['az']);
    said = [];
    behaviour.ticks = ['2026-11-20T07:00:00.100Z', '2026-11-20T07:01:00.100Z', '2026-11-20T07:02:00.100Z'];
    looks = 0;
    behaviour.setAside = 0;
    behaviour.open = 401;
    behaviour.wanted = `Bearer ${key}`;
    behaviour.anyToken = false;
    app = createServer((request, response) => {
      if (canaryAnswer(request, response)) return;
      const given = request.headers.authorization;
      if (given !== behaviour.wanted && !(behaviour.anyToken && given?.startsWith('Bearer ')))
        return response.writeHead(request.headers.authorization ? 403 : behaviour.open).end();
      const lastTick = behaviour.ticks[Math.min(looks++, behaviour.ticks.length - 1)];
      const body = JSON.stringify({ jobs: 2, lastTick, setAside: behaviour.setAside });
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    }).listen(0, '127.0.0.1');
    await once(app, 'listening');
    host = `127.0.0.1:${(app.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    app.closeAllConnections();
    app.close();
    await tools.clean();
  });
}

/** A canary in which all works: first it ends well, then it is stopped. */
let canaryRuns = 0;
let canaryStopped = false;
function canaryAnswer({ method, url = '', headers }: IncomingMessage, response: ServerResponse): boolean {
  const json = (status: number, body: unknown) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (url === '/api/finish') json(400, { error: 'expected {"job": …}' });
  else if (!url.startsWith('/api/v1/')) return false;
  else if (headers.authorization !== behaviour.wanted && !behaviour.anyToken) json(401, { detail: 'expected a token' });
  else if (url.endsWith('/log')) response.end('canary: the secret reads ***\n');
  else if (url.endsWith('/cancel')) {
    canaryStopped = true;
    json(200, {});
  } else {
    if (method === 'POST') canaryRuns += 1;
    const state = canaryRuns === 1 ? 'succeeded' : canaryStopped ? 'cancelled' : 'running';
    const attempts = [{ exitCode: null, error: null, errorClass: null, handle: 'x', state }];
    const run = `lamplighter-canary.${canaryRuns}`;
    json(200, { run, state, reason: null, attempts, startedAt: '2026-11-20T07:00:01Z', metrics: { canary: 1 } });
  }
  return true;
}

export const identity = (name: string) => ({
  id: `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`,
  name,
  principalId: `p-${name}`,
  clientId: `c-${name}`,
});
export const identities = () =>
  ['id-lamp-app', 'id-lamp-pull', 'id-lamp-second-scheduler', 'id-lamp-lamp-pull', 'id-lamp-lamp-score'].map(identity);
export const jobId = (name: string) => `${group}/providers/Microsoft.App/jobs/${name}`;
export const containerJob = (name: string, who: string, secrets: string[] = [], more = {}) => ({
  id: jobId(name),
  name,
  // Azure does not keep the case of ids.
  identity: {
    userAssignedIdentities: {
      [identity('id-lamp-pull').id]: {},
      [identity(who).id.replace('resourceGroups', 'resourcegroups')]: {},
    },
  },
  properties: {
    provisioningState: 'Succeeded',
    configuration: {
      triggerType: 'Manual',
      registries: [{ server: 'cr1.azurecr.io', identity: identity('id-lamp-pull').id }],
      secrets: secrets.map((secret) => ({
        name: secret,
        keyVaultUrl: `https://kv-1.vault.azure.net/secrets/${secret}`,
        identity: identity(who).id,
      })),
      ...more,
    },
    template: { containers: [{ image }] },
  },
});
export const jobs = () => [
  containerJob('lamp-pull', 'id-lamp-lamp-pull', ['crm-api-key']),
  containerJob('lamp-score', 'id-lamp-lamp-score'),
  containerJob('lampsecond-scheduler', 'id-lamp-second-scheduler', [], { triggerType: 'Schedule', secrets: null }),
];

export const assignment = (who: string, role: string, scope: string) => ({
  id: `${scope}/providers/Microsoft.Authorization/roleAssignments/${who}-${role}`,
  properties: {
    scope,
    roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
    principalId: `p-${who}`,
    principalType: 'ServicePrincipal',
  },
});
const storage = (name: string) => `${group}/providers/Microsoft.Storage/storageAccounts/${name}`;
export const vault = `${group}/providers/Microsoft.KeyVault/vaults/kv-1`;
export const registry = `${group}/providers/Microsoft.ContainerRegistry/registries/cr1`;
export const insights = `${group}/providers/Microsoft.Insights/components/appi-1`;
export const assignments = () => [
  assignment('id-lamp-app', builtIn['Storage Blob Data Owner'], storage('sthost')),
  assignment('id-lamp-app', builtIn['Storage Queue Data Contributor'], storage('sthost')),
  assignment('id-lamp-app', builtIn['Storage Table Data Contributor'], storage('sthost')),
  assignment('id-lamp-app', builtIn['Storage Blob Data Contributor'], storage('stdata')),
  assignment('id-lamp-app', builtIn['Storage Queue Data Contributor'], storage('stdata')),
  assignment('id-lamp-app', builtIn['Storage Table Data Contributor'], storage('stdata')),
  assignment('id-lamp-app', builtIn['Key Vault Reader'], vault),
  assignment('id-lamp-app', builtIn['Monitoring Metrics Publisher'], insights),
  assignment('id-lamp-app', starter, jobId('lamp-pull')),
  assignment('id-lamp-app', starter, jobId('lamp-score')),
  assignment('id-lamp-pull', builtIn.AcrPull, registry),
  assignment('id-lamp-lamp-pull', builtIn['Key Vault Secrets User'], `${vault}/secrets/crm-api-key`),
  // A person of IT, who is none of ours.
  assignment('a person', 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7', vault),
];
/** What the last deployment says that it made. */
export const deployed = (jobs = ['lamp-pull', 'lamp-score']) => ({
  properties: {
    provisioningState: 'Succeeded',
    outputs: {
      appIdentityName: { type: 'String', value: 'id-lamp-app' },
      secondSchedulerIdentityName: { type: 'String', value: 'id-lamp-second-scheduler' },
      pullIdentityName: { type: 'String', value: 'id-lamp-pull' },
      secondSchedulerName: { type: 'String', value: 'lampsecond-scheduler' },
      jobs: { type: 'Array', value: jobs.map((resource) => ({ resource, identity: `id-lamp-${resource}` })) },
    },
  },
});
export const settings: Record<string, string> = {
  AzureWebJobsStorage__accountName: 'sthost',
  LAMPLIGHTER_STORAGE__blobServiceUri: 'https://stdata.blob.core.windows.net/',
  LAMPLIGHTER_STORAGE__queueServiceUri: 'https://stdata.queue.core.windows.net/',
  AZURE_CLIENT_ID: 'c-id-lamp-app',
  LAMPLIGHTER_KEY_VAULT_URL: 'https://kv-1.vault.azure.net/',
  LAMPLIGHTER_JOB_PREFIX: 'lamp',
  LAMPLIGHTER_IMAGE: image,
  APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${key}`,
};

export const arm = 'https://management.azure.com';
const siteId = `${group}/providers/Microsoft.Web/sites/func-1`;
const place = '--name func-1 --resource-group rg-1 --output json';
export const rest = (path: string) => `az rest --method get --url ${path} --output json`;
export const lines = {
  sites: 'az functionapp list --resource-group rg-1 --output json',
  functions: `az functionapp function list ${place}`,
  settings: `az functionapp config appsettings list ${place}`,
  authentication: rest(`${siteId}/config/authsettingsV2?api-version=2025-03-01`),
  identities: 'az identity list --resource-group rg-1 --output json',
  jobs: rest(`${group}/providers/Microsoft.App/jobs?api-version=2026-01-01`),
  roles: `az role definition list --custom-role-only true --scope ${group} --output json`,
  registries:
    'az resource list --resource-group rg-1 --resource-type Microsoft.ContainerRegistry/registries --output json',
  insights: 'az resource list --resource-group rg-1 --resource-type Microsoft.Insights/components --output json',
  assignments: rest(`${group}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01`),
  rules: rest(`${group}/providers/Microsoft.Insights/scheduledQueryRules?api-version=2026-03-01`),
  channels: 'az monitor action-group list --resource-group rg-1 --output json',
  deployed: 'az deployment group show --resource-group rg-1 --name lamplighter-lamp-all --output json',
  token: `az account get-access-token --resource ${clientId} --output json`,
};
export type Line = keyof typeof lines;

export const authentication = (more = {}) => ({
  properties: {
    platform: { enabled: true },
    globalValidation: { requireAuthentication: true, excludedPaths: ['/api/finish', '/admin/*'], ...more },
    identityProviders: { azureActiveDirectory: { enabled: true, registration: { clientId } } },
  },
});

export const actionGroup = `${group}/providers/microsoft.insights/actionGroups/ag-lamp`;
export const rule = (name: string, more = {}) => ({
  id: `${group}/providers/microsoft.insights/scheduledqueryrules/${name}`,
  name,
  properties: {
    enabled: true,
    actions: { actionGroups: [actionGroup.replace('microsoft.i', 'Microsoft.I')] },
    ...more,
  },
});

export function answers(): Record<Line, Omit<Scripted, 'line'>> {
  return {
    sites: {
      stdout: [{ id: siteId, name: 'func-1', resourceGroup: 'rg-1', defaultHostName: host, state: 'Running' }],
    },
    functions: { stdout: functionNames.map((name) => ({ name: `func-1/${name}` })) },
    settings: { stdout: Object.entries(settings).map(([name, value]) => ({ name, value, slotSetting: false })) },
    authentication: { stdout: authentication() },
    identities: { stdout: identities() },
    jobs: { stdout: { value: jobs() } },
    roles: { stdout: [{ name: starter, roleName: 'Lamplighter job starter', permissions: [{ actions: jobActions }] }] },
    registries: { stdout: [{ id: registry, name: 'cr1' }] },
    insights: { stdout: [{ id: insights, name: 'appi-1' }] },
    assignments: { stdout: { value: assignments() } },
    rules: { stdout: { value: [rule('alert-lamp-no-tick')] } },
    channels: {
      stdout: [
        {
          id: actionGroup,
          name: 'ag-lamp',
          enabled: true,
          emailReceivers: [{ emailAddress: 'ops@contoso.com' }],
          smsReceivers: [],
        },
      ],
    },
    deployed: { stdout: deployed() },
    token: { stdout: { accessToken: key, expiresOn: '2026-11-20 08:00:00' } },
  };
}

export async function script(
  changes: Partial<Record<Line, Omit<Scripted, 'line'>>> = {},
  more: Scripted[] = [],
): Promise<void> {
  const all = { ...answers(), ...changes };
  await tools.script([
    ...more,
    ...Object.entries(all).map(([name, answer]) => ({ line: lines[name as Line], ...answer })),
  ]);
}

export async function verify(name = 'func-1', environment = tools.environment): Promise<Finding[]> {
  // Another environment has the real az on its PATH.
  const runs = environment === tools.environment ? tools.run : processRun;
  const run = runs({ root: tools.root, environment, say: (line) => said.push(line) });
  let now = 0;
  looks = 0;
  canaryRuns = 0;
  canaryStopped = false;
  const sleep = async (ms: number) => {
    now += ms;
  };
  return findings(
    run,
    { app: name, resourceGroup: 'rg-1' },
    { every: 5_000, patience: 150_000, clock: () => now, sleep },
    { files: new Map(), now: Date.parse('2026-11-28T00:00:00Z') },
  );
}

export const bad = (all: Finding[]) => all.filter(({ state }) => state !== 'right');
