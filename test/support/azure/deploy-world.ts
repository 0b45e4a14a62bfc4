import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { type Deployment, deployment } from '../../../cli/deploy/deployment.ts';
import { imageTag } from '../../../cli/deploy/image.ts';
import { type DeployOptions, defaultBase, target } from '../../../cli/deploy/options.ts';
import { processRun } from '../../../cli/deploy/run.ts';
import { deploySteps, preview } from '../../../cli/deploy/sequence.ts';
import { Refusal } from '../../../cli/refusal.ts';
import type { Finding } from '../../../cli/verify/finding.ts';
import { azureTools, type Scripted, type Tools } from './azure-tools.ts';
import { flight } from './preflight-lines.ts';

/** A repository with two jobs, and an Azure in which nothing, or everything, stands. Made anew for each test. */
export const me = '11111111-1111-4111-8111-111111111111';
export const pipeline = '22222222-2222-4222-8222-222222222222';
export const appId = '33333333-3333-4333-8333-333333333333';
export const oldDigest = `sha256:${'a'.repeat(64)}`;
export const newDigest = `sha256:${'b'.repeat(64)}`;

export let tools: Tools;
export let said: string[];
export let slept: number[];
export let tag: string;

/** Makes it anew for each test of the file that calls this. */
export function deployWorld(): void {
  beforeEach(async () => {
    tools = await azureTools();
    said = [];
    slept = [];
    await file('infra/runtime/Dockerfile', 'FROM scratch\n');
    await file('infra/runtime/lamplighter_shim/__main__.py', 'print("here")\n');
    await file('infra/runtime/lamplighter_shim/__pycache__/__main__.pyc', 'compiled');
    await job('score');
    await job('pull', 'secrets: { CRM_API_KEY: Crm-Api-Key }\n');
    tag = await imageTag(tools.root, defaultBase);
  });

  afterEach(() => tools.clean());
}

export async function file(name: string, text: string): Promise<void> {
  await mkdir(join(tools.root, name, '..'), { recursive: true });
  await writeFile(join(tools.root, name), text);
}

export async function job(name: string, more = ''): Promise<void> {
  await file(`jobs/${name}/main.py`, 'print("hello")\n');
  await file(`jobs/${name}/README.md`, `# ${name}\n`);
  await file(
    `jobs/${name}/job.yaml`,
    `description: Does something for a test.
owner: { email: dana@contoso.com, department: Sales }
tier: low-risk
data: internal
schedule: { cron: "0 7 * * *", timeZone: Europe/London }
run: { command: [python, main.py] }
${more}`,
  );
}

export const given: DeployOptions = {
  environment: 'dev',
  location: 'westeurope',
  alertEmails: 'ops@contoso.com',
  base: defaultBase,
  builder: 'acr',
  from: 'check',
  yes: true,
};

interface Outcome {
  here: Deployment;
  error: string | null;
}

/** @param more.processes each call is a process, as in life */
export async function run(
  options: Partial<DeployOptions> = {},
  more: { env?: Record<string, string>; found?: Finding[][]; now?: number; processes?: boolean } = {},
) {
  const environment = { ...tools.environment, ...more.env };
  const runs = more.processes ? processRun : tools.run;
  const here = deployment({
    target: target({ ...given, ...options }, 'lamp-dev'),
    root: tools.root,
    jobs: join(tools.root, 'jobs'),
    now: more.now ?? Date.parse('2026-11-28T00:00:00Z'),
    environment,
    run: runs({ root: tools.root, environment, say: (line) => said.push(line), pass: (text) => said.push(text) }),
    sleep: async (ms) => void slept.push(ms),
    say: (line) => said.push(line),
    confirm: () => Promise.reject(new Refusal('There is no one to ask here')),
  });
  const work = options.whatIf
    ? preview(here)
    : deploySteps(here, async () => (more.found ?? [[]]).splice(0, 1)[0] ?? []);
  const error = await work.then(
    () => null,
    (error: Error) => {
      if (!(error instanceof Refusal)) throw error;
      return error.message;
    },
  );
  return { here, error } satisfies Outcome;
}

export const account = {
  id: 's-1',
  name: 'Contoso Dev',
  tenantId: 't-1',
  user: { name: 'it@contoso.com', type: 'user' },
};
export const secret = (name: string, enabled = true) => ({
  id: `https://kv/secrets/${name}`,
  name,
  attributes: { enabled },
});
export const show = (stage: string) =>
  `az deployment group show --resource-group rg-lamp-dev --name lamplighter-lamp-dev-${stage} --output json`;
export const create = (stage: string) =>
  `az deployment group create --resource-group rg-lamp-dev --name lamplighter-lamp-dev-${stage} ` +
  '--parameters infra/dev.bicepparam --parameters name=lamp-dev --no-prompt true --output json';
export const secrets = 'az keyvault secret list --vault-name kv-1 --output json';
export const image = () => `az acr repository show --name cr1 --image lamplighter-runtime:${tag} --output json`;
export const build = () =>
  `az acr build --registry cr1 --image lamplighter-runtime:${tag} --build-arg BASE=docker.io/library/python:3.12-slim ` +
  '--platform linux .lamplighter/deploy/image --output none';
export const publish = 'func azure functionapp publish func-1 --no-build --subscription s-1';
export const channel =
  'az rest --method get --url /subscriptions/s-1/resourceGroups/rg-lamp-dev/providers/Microsoft.Insights/actionGroups/ag-lamp-dev?api-version=2023-01-01 --output json';
export const receivers = (...addresses: string[]) => ({
  properties: { enabled: true, emailReceivers: addresses.map((emailAddress) => ({ name: 'x', emailAddress })) },
});
export const sync =
  'az rest --method post --url /subscriptions/s-1/resourceGroups/rg-lamp-dev/providers/Microsoft.Web/sites/func-1/syncfunctiontriggers?api-version=2025-03-01';
export const patch = (file: string) =>
  `az rest --method patch --url https://graph.microsoft.com/v1.0/applications/o-1 ` +
  `--headers Content-Type=application/json --body @.lamplighter/deploy/registration-${file}.json`;
const listApps = 'az ad app list --display-name Lamplighter lamp-dev --output json';
const createApp = 'az ad app create --display-name Lamplighter lamp-dev --sign-in-audience AzureADMyOrg --output json';

/** What Azure says of a deployment: parameters as they were given, outputs of infra/main.bicep. */
export function deployed({
  digest = '',
  jobs = [] as { name: string; secrets: string[] }[],
  emails = ['ops@contoso.com'],
  callers = [me],
  failed = false,
  more = {} as Record<string, { value: unknown }>,
} = {}) {
  const value = <T>(value: T) => ({ type: 'x', value });
  return {
    properties: {
      provisioningState: failed ? 'Failed' : 'Succeeded',
      parameters: {
        authClientId: value(appId),
        alertEmails: value(emails),
        callers: value(callers),
        secretOfficers: value([{ objectId: me, type: 'User' }]),
        runtimeImageDigest: value(digest),
        ...more,
      },
      outputs: failed
        ? null
        : {
            appName: value('func-1'),
            vaultName: value('kv-1'),
            registryName: value('cr1'),
            registryLoginServer: value('cr1.azurecr.io'),
            jobs: value(jobs),
          },
    },
  };
}

export const bothJobs = [
  { name: 'pull', secrets: ['crm-api-key'] },
  { name: 'score', secrets: [] },
];
export const packed = JSON.stringify({
  prefix: 'lamp',
  jobs: [
    { name: 'pull', secrets: [{ variable: 'CRM_API_KEY', name: 'Crm-Api-Key' }] },
    { name: 'score', secrets: [] },
  ],
});

/** The programs are there, a person is signed in, the package can be made. */
export const machine: Scripted[] = [
  { line: 'az version --output json', stdout: { 'azure-cli': '2.75.0', extensions: {} } },
  { line: 'az bicep version', stdout: 'Bicep CLI version 0.36.1 (a727ed087a)\n' },
  { line: 'func --version', stdout: '4.1.2\n' },
  { line: 'az account show --output json', stdout: account },
  {
    line: 'npm run package',
    stdout: 'packed 2 jobs\n',
    writes: { 'infra/jobs.json': packed, 'dist/app/index.js': '' },
  },
  { line: publish, folder: 'dist/app', env: { FUNCTIONS_WORKER_RUNTIME: 'node' }, stdout: 'Deployment completed\n' },
  { line: sync },
];

export const variables = (stage: string, more: Record<string, string> = {}) => ({
  LAMPLIGHTER_STAGE: stage,
  LAMPLIGHTER_AUTH_CLIENT_ID: appId,
  LAMPLIGHTER_ALERT_EMAILS: 'ops@contoso.com',
  LAMPLIGHTER_BUDGET_START: '2026-11-01',
  LAMPLIGHTER_CALLERS: JSON.stringify([me]),
  LAMPLIGHTER_SECRET_OFFICERS: JSON.stringify([{ objectId: me, type: 'User' }]),
  ...more,
});
export const missing = (what: string) => ({ code: 3, stderr: `ERROR: (${what}) is not there\n` });

/** What az prints of a registry that nothing was pushed to: the message of its answer, without the code. */
export const emptyRegistry =
  'ERROR: 2026-11-20 22:13:01.123456 Error: repository name not known to registry. Correlation ID: c-1.\n';

export const assignedLine =
  'az rest --method get --url https://graph.microsoft.com/v1.0/servicePrincipals/sp-1/appRoleAssignedTo --output json';
export const assignLine =
  'az rest --method post --url https://graph.microsoft.com/v1.0/servicePrincipals/sp-1/appRoleAssignedTo ' +
  '--headers Content-Type=application/json --body @.lamplighter/deploy/registration-role.json --output none';

export const first = (vault: unknown[]): Scripted[] => [
  ...machine,
  ...flight,
  { line: 'az group exists --name rg-lamp-dev', stdout: 'false\n' },
  { line: 'az ad signed-in-user show --output json', stdout: { id: me } },
  { line: 'az group create --name rg-lamp-dev --location westeurope --output none' },
  {
    line: 'az cloud show --output json',
    stdout: { endpoints: { microsoftGraphResourceId: 'https://graph.microsoft.com/' } },
  },
  { line: listApps, stdout: [{ appId: 'x', id: 'y', displayName: 'Lamplighter lamp-dev-2' }] },
  { line: createApp, stdout: { appId, id: 'o-1', displayName: 'Lamplighter lamp-dev' } },
  { line: patch('scope') },
  { line: patch('client') },
  { line: `az ad sp show --id ${appId} --output json`, ...missing('Request_ResourceNotFound') },
  { line: `az ad sp create --id ${appId} --output json`, stdout: { id: 'sp-1' } },
  { line: assignedLine, stdout: { value: [] } },
  { line: assignLine },
  { line: create('foundation'), env: variables('foundation'), stdout: deployed() },
  { line: secrets, stdout: vault },
  { line: create('access'), env: variables('access'), stdout: deployed() },
  { line: image(), code: 1, stderr: emptyRegistry },
  { line: image(), stdout: { digest: newDigest } },
  { line: build(), stderr: 'Run ID: cb1 was successful\n' },
  {
    line: create('all'),
    env: variables('all', { LAMPLIGHTER_IMAGE_DIGEST: newDigest }),
    stdout: deployed({ digest: newDigest, jobs: bothJobs }),
  },
];

/** Everything stands, with an image of its own. */
export const again = (vault: unknown[] = [secret('crm-api-key')], jobs = bothJobs): Scripted[] => [
  ...machine,
  { line: 'az group exists --name rg-lamp-dev', stdout: 'true\n' },
  { line: show('foundation'), stdout: deployed() },
  { line: channel, stdout: receivers('ops@contoso.com') },
  { line: show('all'), stdout: deployed({ digest: oldDigest, jobs, callers: [me, pipeline] }) },
  { line: secrets, stdout: vault },
  { line: image(), stdout: { digest: newDigest } },
  {
    line: create('access'),
    env: variables('access', { LAMPLIGHTER_CALLERS: JSON.stringify([me, pipeline]) }),
    stdout: deployed(),
  },
  {
    line: create('all'),
    env: variables('all', {
      LAMPLIGHTER_IMAGE_DIGEST: newDigest,
      LAMPLIGHTER_CALLERS: JSON.stringify([me, pipeline]),
    }),
    stdout: deployed({ digest: newDigest, jobs: bothJobs }),
  },
];

export const commands = () => said.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
