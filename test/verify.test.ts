import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { verdict } from '../cli/commands/verify.ts';
import { processRun } from '../cli/deploy/run.ts';
import { Refusal } from '../cli/refusal.ts';
import type { Finding } from '../cli/verify/finding.ts';
import { builtIn, jobActions } from '../cli/verify/roles.ts';
import { findings } from '../cli/verify/verify.ts';
import { azureTools, type Scripted, type Tools } from './support/azure-tools.ts';

const subscription = '/subscriptions/s-1';
const group = `${subscription}/resourceGroups/rg-1`;
const digest = `sha256:${'a'.repeat(64)}`;
const image = `cr1.azurecr.io/lamplighter-runtime@${digest}`;
const clientId = '33333333-3333-4333-8333-333333333333';
const starter = '44444444-4444-4444-8444-444444444444';
const key = 'this-is-a-value-nobody-may-see';

let tools: Tools;
let app: Server;
let host: string;
let said: string[];
/** What /health tells, one after another; the last one for ever. */
let ticks: (string | null)[];
let looks: number;
/** What an unauthenticated call is answered with. */
let open: number;
let wanted: string;

beforeEach(async () => {
  tools = await azureTools(['az']);
  said = [];
  ticks = ['2026-11-20T07:00:00.100Z', '2026-11-20T07:01:00.100Z', '2026-11-20T07:02:00.100Z'];
  looks = 0;
  open = 401;
  wanted = `Bearer ${key}`;
  app = createServer((request, response) => {
    if (request.headers.authorization !== wanted)
      return response.writeHead(request.headers.authorization ? 403 : open).end();
    const lastTick = ticks[Math.min(looks++, ticks.length - 1)];
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jobs: 2, lastTick }));
  }).listen(0, '127.0.0.1');
  await once(app, 'listening');
  host = `127.0.0.1:${(app.address() as AddressInfo).port}`;
});

afterEach(async () => {
  app.closeAllConnections();
  app.close();
  await tools.clean();
});

const identity = (name: string) => ({
  id: `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`,
  name,
  principalId: `p-${name}`,
  clientId: `c-${name}`,
});
const identities = ['id-lamp-app', 'id-lamp-poker', 'id-lamp-lamp-pull', 'id-lamp-lamp-score'].map(identity);
const jobId = (name: string) => `${group}/providers/Microsoft.App/jobs/${name}`;
const containerJob = (name: string, who: string, secrets: string[] = [], more = {}) => ({
  id: jobId(name),
  name,
  // Azure does not keep the case of ids.
  identity: { userAssignedIdentities: { [identity(who).id.replace('resourceGroups', 'resourcegroups')]: {} } },
  properties: {
    provisioningState: 'Succeeded',
    configuration: {
      triggerType: 'Manual',
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
const jobs = () => [
  containerJob('lamp-pull', 'id-lamp-lamp-pull', ['crm-api-key']),
  containerJob('lamp-score', 'id-lamp-lamp-score'),
  containerJob('lamppoker', 'id-lamp-poker', [], { triggerType: 'Schedule', secrets: null }),
];

const assignment = (who: string, role: string, scope: string) => ({
  id: 'x',
  properties: {
    scope,
    roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
    principalId: `p-${who}`,
    principalType: 'ServicePrincipal',
  },
});
const storage = (name: string) => `${group}/providers/Microsoft.Storage/storageAccounts/${name}`;
const vault = `${group}/providers/Microsoft.KeyVault/vaults/kv-1`;
const registry = `${group}/providers/Microsoft.ContainerRegistry/registries/cr1`;
const insights = `${group}/providers/Microsoft.Insights/components/appi-1`;
const assignments = () => [
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
  assignment('id-lamp-lamp-pull', builtIn.AcrPull, registry),
  assignment('id-lamp-lamp-score', builtIn.AcrPull, registry),
  assignment('id-lamp-poker', builtIn.AcrPull, registry),
  assignment('id-lamp-lamp-pull', builtIn['Key Vault Secrets User'], `${vault}/secrets/crm-api-key`),
  // A person of IT, who is none of ours.
  assignment('somebody', 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7', vault),
];
const settings: Record<string, string> = {
  AzureWebJobsStorage__accountName: 'sthost',
  LAMPLIGHTER_STORAGE__blobServiceUri: 'https://stdata.blob.core.windows.net/',
  LAMPLIGHTER_STORAGE__queueServiceUri: 'https://stdata.queue.core.windows.net/',
  AZURE_CLIENT_ID: 'c-id-lamp-app',
  LAMPLIGHTER_KEY_VAULT_URL: 'https://kv-1.vault.azure.net/',
  LAMPLIGHTER_JOB_PREFIX: 'lamp',
  LAMPLIGHTER_IMAGE: image,
  APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${key}`,
};

const arm = 'https://management.azure.com';
const siteId = `${group}/providers/Microsoft.Web/sites/func-1`;
const place = '--name func-1 --resource-group rg-1 --output json';
const rest = (path: string) => `az rest --method get --url ${arm}${path} --output json`;
const lines = {
  sites: 'az functionapp list --resource-group rg-1 --output json',
  functions: `az functionapp function list ${place}`,
  settings: `az functionapp config appsettings list ${place}`,
  authentication: rest(`${siteId}/config/authsettingsV2?api-version=2024-04-01`),
  identities: 'az identity list --resource-group rg-1 --output json',
  jobs: rest(`${group}/providers/Microsoft.App/jobs?api-version=2025-01-01`),
  roles: `az role definition list --custom-role-only true --scope ${group} --output json`,
  registries:
    'az resource list --resource-group rg-1 --resource-type Microsoft.ContainerRegistry/registries --output json',
  insights: 'az resource list --resource-group rg-1 --resource-type Microsoft.Insights/components --output json',
  assignments: rest(`${group}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01`),
  channels: 'az monitor action-group list --resource-group rg-1 --output json',
  poison:
    'az storage message peek --queue-name launch-poison --account-name stdata --auth-mode login --num-messages 32 --output json',
  token: `az account get-access-token --resource ${clientId} --output json`,
};
type Line = keyof typeof lines;

const authentication = (more = {}) => ({
  properties: {
    platform: { enabled: true },
    globalValidation: { requireAuthentication: true, excludedPaths: ['/api/finish'], ...more },
    identityProviders: { azureActiveDirectory: { enabled: true, registration: { clientId } } },
  },
});

function answers(): Record<Line, Omit<Scripted, 'line'>> {
  return {
    sites: {
      stdout: [{ id: siteId, name: 'func-1', resourceGroup: 'rg-1', defaultHostName: host, state: 'Running' }],
    },
    functions: { stdout: ['tick', 'launch', 'daily', 'http'].map((name) => ({ name: `func-1/${name}` })) },
    settings: { stdout: Object.entries(settings).map(([name, value]) => ({ name, value, slotSetting: false })) },
    authentication: { stdout: authentication() },
    identities: { stdout: identities },
    jobs: { stdout: { value: jobs() } },
    roles: { stdout: [{ name: starter, roleName: 'Lamplighter job starter', permissions: [{ actions: jobActions }] }] },
    registries: { stdout: [{ id: registry, name: 'cr1' }] },
    insights: { stdout: [{ id: insights, name: 'appi-1' }] },
    assignments: { stdout: { value: assignments() } },
    channels: {
      stdout: [
        { name: 'ag-lamp', enabled: true, emailReceivers: [{ emailAddress: 'ops@contoso.com' }], smsReceivers: [] },
      ],
    },
    poison: { stdout: [] },
    token: { stdout: { accessToken: key, expiresOn: '2026-11-20 08:00:00' } },
  };
}

async function script(
  changes: Partial<Record<Line, Omit<Scripted, 'line'>>> = {},
  more: Scripted[] = [],
): Promise<void> {
  const all = { ...answers(), ...changes };
  await tools.script([
    ...more,
    ...Object.entries(all).map(([name, answer]) => ({ line: lines[name as Line], ...answer })),
  ]);
}

async function verify(name = 'func-1'): Promise<Finding[]> {
  const run = processRun({ root: tools.root, environment: tools.environment, say: (line) => said.push(line) });
  let now = 0;
  looks = 0;
  const sleep = async (ms: number) => {
    now += ms;
  };
  return findings(
    run,
    { app: name, resourceGroup: 'rg-1' },
    { every: 5_000, patience: 150_000, clock: () => now, sleep },
  );
}

const bad = (all: Finding[]) => all.filter(({ state }) => state !== 'right');

test('an installation in which all is right has nothing to tell but that', async () => {
  await script();
  const all = await verify();
  expect(bad(all)).toEqual([]);
  expect(new Set(all.map(({ check }) => check))).toEqual(
    new Set(['functions', 'image', 'roles', 'secrets', 'channels', 'poison', 'authentication', 'ticks']),
  );
  expect(verdict(all)).toContain('Everything is right.');
});

test('the app is found by its address as well', async () => {
  await script();
  expect(bad(await verify(`http://${host}`))).toEqual([]);
  await expect(verify('func-2')).rejects.toThrow(/There is no function app func-2 in rg-1; it has: func-1/);
});

test('neither a token nor a setting is ever shown, whatever goes wrong', async () => {
  await script({ settings: { stdout: `[{"name": "APPLICATIONINSIGHTS", "value": "${key}"`, code: 0 } });
  const all = await verify();
  expect(bad(all).length).toBeGreaterThan(0);
  expect(said.join('\n') + verdict(all)).not.toContain(key);
});

test.each<[string, Partial<Record<Line, Omit<Scripted, 'line'>>>, string, RegExp, RegExp]>([
  ['no function was registered', { functions: { stdout: [] } }, 'functions', /tick is not registered/, /--from app/],
  [
    'a function is switched off',
    {
      functions: { stdout: ['tick', 'launch', 'daily', 'http'].map((name) => ({ name, isDisabled: name === 'tick' })) },
    },
    'functions',
    /tick is switched off/,
    /AzureWebJobs\.tick\.Disabled/,
  ],
  [
    'anybody may call the app',
    { authentication: { stdout: authentication({ requireAuthentication: false }) } },
    'authentication',
    /not required/,
    /--from jobs/,
  ],
  [
    'more than the nudge is open',
    { authentication: { stdout: authentication({ excludedPaths: ['/api/finish', '/api/*'] }) } },
    'authentication',
    /\/api\/\* can be called without a token/,
    /--from jobs/,
  ],
  ['nobody is told', { channels: { stdout: [] } }, 'channels', /no action group/, /bicepparam/],
  [
    'an action group tells nobody',
    { channels: { stdout: [{ name: 'ag-lamp', enabled: true, emailReceivers: [] }] } },
    'channels',
    /ag-lamp has no receiver/,
    /bicepparam/,
  ],
  [
    'an action group is off',
    { channels: { stdout: [{ name: 'ag-lamp', enabled: false, emailReceivers: [{}] }] } },
    'channels',
    /switched off/,
    /bicepparam/,
  ],
  ['launches were set aside', { poison: { stdout: [{}, {}] } }, 'poison', /2 launches failed/, /lamp runs/],
])('%s', async (_, changes, check, text, remedy) => {
  await script(changes);
  const found = bad(await verify());
  expect(found.map((one) => one.check)).toContain(check);
  expect(found.map((one) => one.text).join('\n')).toMatch(text);
  expect(found.map((one) => one.remedy).join('\n')).toMatch(remedy);
});

test('an app that answers without a token is the first thing to stop', async () => {
  await script();
  open = 200;
  const found = bad(await verify());
  expect(found.map(({ text }) => text)).toEqual([
    'GET /health without a token is answered with 200',
    'POST /api/tick without a token is answered with 200',
  ]);
  expect(found[0]?.remedy).toContain('az functionapp stop');
});

test('every role that is missing is named, with whose it is, where, and what for', async () => {
  for (const gone of assignments().slice(0, -1)) {
    const { principalId, scope } = gone.properties;
    const value = assignments().filter(
      ({ properties }) => JSON.stringify(properties) !== JSON.stringify(gone.properties),
    );
    await script({ assignments: { stdout: { value } } });
    const found = bad(await verify());
    expect(found).toHaveLength(1);
    expect(found[0]?.text).toContain(`${principalId.slice(2)} lacks `);
    expect(found[0]?.text).toContain(scope.split('/').at(-1));
  }
}, 120_000);

test('role assignments on a second page are seen', async () => {
  const [first, ...others] = assignments();
  const nextLink = `${arm}/next?api-version=2022-04-01&$skiptoken=a%20b`;
  const second = { line: `az rest --method get --url ${nextLink} --output json`, stdout: { value: [first] } };
  await script({ assignments: { stdout: { value: others, nextLink } } }, [second]);
  expect(bad(await verify())).toEqual([]);
});

test.each([
  ['the secret of another job', 'id-lamp-lamp-score', `${vault}/secrets/crm-api-key`],
  ['every secret of the vault', 'id-lamp-lamp-pull', vault],
  ['every secret of the resource group', 'id-lamp-app', group],
])('an identity that may read %s is found, with the command that ends it', async (_, who, scope) => {
  const value = [...assignments(), assignment(who, builtIn['Key Vault Secrets User'], scope)];
  await script({ assignments: { stdout: { value } } });
  const found = bad(await verify());
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ check: 'secrets', state: 'wrong' });
  expect(found[0]?.text).toContain(`${who} may read`);
  expect(found[0]?.remedy).toBe(
    `az role assignment delete --assignee-object-id p-${who} --role 'Key Vault Secrets User' --scope ${scope}`,
  );
});

test('a role that may list the secrets of jobs is not taken for the one that starts them', async () => {
  const actions = [...jobActions, 'Microsoft.App/jobs/listSecrets/action'];
  await script({ roles: { stdout: [{ name: starter, roleName: 'x', permissions: [{ actions }] }] } });
  const found = bad(await verify());
  expect(found.map(({ text }) => text)).toEqual([
    'id-lamp-app lacks the custom role that starts jobs on jobs/lamp-pull (starting it)',
    'id-lamp-app lacks the custom role that starts jobs on jobs/lamp-score (starting it)',
  ]);
});

test('a job or a second scheduler that still has another image is found', async () => {
  const old = image.replaceAll('a'.repeat(64), 'c'.repeat(64));
  const value = jobs().map((job) =>
    job.name === 'lamp-score'
      ? job
      : { ...job, properties: { ...job.properties, template: { containers: [{ image: old }] } } },
  );
  await script({ jobs: { stdout: { value } } });
  const found = bad(await verify());
  expect(found.map(({ text }) => text.split(' ')[0])).toEqual(['lamp-pull', 'lamppoker']);
  expect(found[0]?.remedy).toContain('lamp deploy --from image');
});

test('an installation without jobs, or with an image by name only, is not right', async () => {
  await script({ jobs: { stdout: { value: [] } } });
  expect(bad(await verify()).map(({ text }) => text)).toContain('there are no Container Apps Jobs');
  const mutable = { ...settings, LAMPLIGHTER_IMAGE: 'cr1.azurecr.io/lamplighter-runtime:latest' };
  await script({ settings: { stdout: Object.entries(mutable).map(([name, value]) => ({ name, value })) } });
  expect(bad(await verify()).map(({ text }) => text)).toContain('LAMPLIGHTER_IMAGE is not an image by its digest');
});

test('a timer that is dead while the second scheduler goes on is found', async () => {
  await script();
  ticks = ['2026-11-20T07:00:00.100Z', '2026-11-20T07:05:00.100Z'];
  const [found] = bad(await verify());
  expect(found).toMatchObject({ check: 'ticks', state: 'wrong' });
  expect(found?.text).toMatch(/^one new tick in 15\d s: the timer seems dead/);
});

test('no tick at all is told with the last one', async () => {
  await script();
  ticks = ['2026-11-20T07:00:00.100Z'];
  expect(bad(await verify())[0]?.text).toMatch(/^no new tick in 15\d s; the last one: 2026-11-20T07:00:00\.100Z/);
  ticks = [null];
  expect(bad(await verify())[0]?.text).toMatch(/the last one: never/);
});

test('a token that the app does not let in is told at once', async () => {
  await script();
  wanted = 'Bearer another';
  expect(bad(await verify())[0]?.text).toBe('/health refuses your token with 403');
});

test('what cannot be looked at is not right: it is unknown, and the rest is looked at all the same', async () => {
  const outage = { code: 1, stderr: 'ERROR: HTTPSConnectionPool: Max retries exceeded with url\n' };
  for (const line of Object.keys(lines).filter((name) => name !== 'sites') as Line[]) {
    await script({ [line]: outage });
    const all = await verify();
    const found = bad(all);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ state }) => state === 'unknown')).toBe(true);
    expect(found[0]?.text).toContain('Max retries exceeded');
    expect(all.length).toBeGreaterThan(found.length);
  }
  await script({ sites: outage });
  await expect(verify()).rejects.toThrow(Refusal);
}, 120_000);

test('a token that the Azure CLI may not ask for is told with what to do', async () => {
  await script({ token: { code: 1, stderr: 'ERROR: AADSTS65001: The user or administrator has not consented\n' } });
  expect(bad(await verify())[0]?.text).toContain('lamp deploy --from infra completes the registration');
});

test('lamp verify --json prints every finding and ends with 1 when one is not right', async () => {
  await script({ functions: { stdout: [] }, token: { code: 1, stderr: 'ERROR: no' } });
  const program = join(import.meta.dirname, '../cli/main.ts');
  const args = [program, '--home', tools.root, 'verify', '--app', 'func-1', '--resource-group', 'rg-1', '--json'];
  const env = { ...process.env, PATH: tools.environment.PATH ?? '' };
  const { stdout, stderr, code } = await promisify(execFile)(process.execPath, args, { env }).then(
    (ended) => ({ ...ended, code: 0 }),
    (error) => error as { stdout: string; stderr: string; code: number },
  );
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(`$ ${lines.sites}`) });
  const { right, findings } = JSON.parse(stdout) as { right: boolean; findings: Finding[] };
  expect(right).toBe(false);
  expect(findings.filter(({ check }) => check === 'functions')).toHaveLength(4);
});
