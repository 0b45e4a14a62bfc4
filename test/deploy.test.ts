import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { deploy as deployCommand, placeholders } from '../cli/deploy/az.ts';
import { cmdText, commandText } from '../cli/deploy/command.ts';
import { type Deployment, deployment } from '../cli/deploy/deployment.ts';
import { causes } from '../cli/deploy/failure.ts';
import { imageTag } from '../cli/deploy/image.ts';
import { type DeployOptions, defaultBase, steps, target } from '../cli/deploy/options.ts';
import { outputNames } from '../cli/deploy/outputs.ts';
import { registrationBodies } from '../cli/deploy/registration.ts';
import { processRun } from '../cli/deploy/run.ts';
import { deploySteps, dryRun, preview } from '../cli/deploy/sequence.ts';
import { Refusal } from '../cli/refusal.ts';
import { azureTools, type Scripted, type Tools } from './support/azure-tools.ts';

const me = '11111111-1111-4111-8111-111111111111';
const pipeline = '22222222-2222-4222-8222-222222222222';
const appId = '33333333-3333-4333-8333-333333333333';
const oldDigest = `sha256:${'a'.repeat(64)}`;
const newDigest = `sha256:${'b'.repeat(64)}`;

let tools: Tools;
let said: string[];
let tag: string;

beforeEach(async () => {
  tools = await azureTools();
  said = [];
  await file('infra/runtime/Dockerfile', 'FROM scratch\n');
  await file('infra/runtime/lamplighter_shim/__main__.py', 'print("here")\n');
  await file('infra/runtime/lamplighter_shim/__pycache__/__main__.pyc', 'compiled');
  await job('score');
  await job('pull', 'secrets: { CRM_API_KEY: Crm-Api-Key }\n');
  tag = await imageTag(tools.root, defaultBase);
});

afterEach(() => tools.clean());

async function file(name: string, text: string): Promise<void> {
  await mkdir(join(tools.root, name, '..'), { recursive: true });
  await writeFile(join(tools.root, name), text);
}

async function job(name: string, more = ''): Promise<void> {
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

const given: DeployOptions = {
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

async function run(options: Partial<DeployOptions> = {}, more: { env?: Record<string, string>; right?: boolean } = {}) {
  const environment = { ...tools.environment, ...more.env };
  const here = deployment({
    target: target({ ...given, ...options }, 'lamp-dev'),
    root: tools.root,
    jobs: join(tools.root, 'jobs'),
    environment,
    run: processRun({ root: tools.root, environment, say: (line) => said.push(line), pass: (text) => said.push(text) }),
    say: (line) => said.push(line),
    confirm: () => Promise.reject(new Refusal('There is nobody to ask here')),
  });
  const work = options.whatIf ? preview(here) : deploySteps(here, async () => more.right ?? true);
  const error = await work.then(
    () => null,
    (error: Error) => {
      if (!(error instanceof Refusal)) throw error;
      return error.message;
    },
  );
  return { here, error } satisfies Outcome;
}

const account = { id: 's-1', name: 'Contoso Dev', tenantId: 't-1', user: { name: 'it@contoso.com', type: 'user' } };
const secret = (name: string, enabled = true) => ({ id: `https://kv/secrets/${name}`, name, attributes: { enabled } });
const show = (stage: string) =>
  `az deployment group show --resource-group rg-lamp-dev --name lamplighter-lamp-dev-${stage} --output json`;
const create = (stage: string) =>
  `az deployment group create --resource-group rg-lamp-dev --name lamplighter-lamp-dev-${stage} ` +
  '--parameters infra/dev.bicepparam --parameters name=lamp-dev --no-prompt true --output json';
const secrets = 'az keyvault secret list --vault-name kv-1 --output json';
const image = () => `az acr repository show --name cr1 --image lamplighter-runtime:${tag} --output json`;
const build = () =>
  `az acr build --registry cr1 --image lamplighter-runtime:${tag} --build-arg BASE=docker.io/library/python:3.12-slim ` +
  '--platform linux .lamplighter/deploy/image --output none';
const publish = 'func azure functionapp publish func-1 --no-build';
const patch = (file: string) =>
  `az rest --method patch --url https://graph.microsoft.com/v1.0/applications/o-1 ` +
  `--headers Content-Type=application/json --body @.lamplighter/deploy/registration-${file}.json`;
const listApps = 'az ad app list --display-name Lamplighter lamp-dev --output json';
const createApp = 'az ad app create --display-name Lamplighter lamp-dev --sign-in-audience AzureADMyOrg --output json';

/** What Azure says of a deployment: parameters as they were given, outputs of infra/main.bicep. */
function deployed({
  digest = '',
  jobs = [] as { name: string; secrets: string[] }[],
  emails = ['ops@contoso.com'],
  callers = [me],
  failed = false,
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

const bothJobs = [
  { name: 'pull', secrets: ['crm-api-key'] },
  { name: 'score', secrets: [] },
];
const packed = JSON.stringify({
  prefix: 'lamp',
  jobs: [
    { name: 'pull', secrets: [{ variable: 'CRM_API_KEY', name: 'Crm-Api-Key' }] },
    { name: 'score', secrets: [] },
  ],
});

/** The programs are there, somebody is signed in, the package can be made. */
const machine: Scripted[] = [
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
];

const variables = (stage: string, more: Record<string, string> = {}) => ({
  LAMPLIGHTER_STAGE: stage,
  LAMPLIGHTER_AUTH_CLIENT_ID: appId,
  LAMPLIGHTER_ALERT_EMAILS: 'ops@contoso.com',
  LAMPLIGHTER_CALLERS: JSON.stringify([me]),
  LAMPLIGHTER_SECRET_OFFICERS: JSON.stringify([{ objectId: me, type: 'User' }]),
  ...more,
});
const missing = (what: string) => ({ code: 3, stderr: `ERROR: (${what}) is not there\n` });

/** Nothing stands yet. */
const first = (vault: unknown[]): Scripted[] => [
  ...machine,
  { line: 'az group exists --name rg-lamp-dev', stdout: 'false\n' },
  { line: 'az ad signed-in-user show --output json', stdout: { id: me } },
  { line: 'az group create --name rg-lamp-dev --location westeurope --output none' },
  { line: listApps, stdout: [{ appId: 'x', id: 'y', displayName: 'Lamplighter lamp-dev-2' }] },
  { line: createApp, stdout: { appId, id: 'o-1', displayName: 'Lamplighter lamp-dev' } },
  { line: patch('scope') },
  { line: patch('client') },
  { line: `az ad sp show --id ${appId} --output json`, ...missing('Request_ResourceNotFound') },
  { line: `az ad sp create --id ${appId} --output none` },
  { line: create('foundation'), env: variables('foundation'), stdout: deployed() },
  { line: secrets, stdout: vault },
  { line: create('access'), env: variables('access'), stdout: deployed() },
  { line: image(), code: 1, stderr: 'ERROR: (MANIFEST_UNKNOWN) manifest tagged by "x" is not found.\n' },
  { line: image(), stdout: { digest: newDigest } },
  { line: build(), stderr: 'Run ID: cb1 was successful\n' },
  {
    line: create('all'),
    env: variables('all', { LAMPLIGHTER_IMAGE_DIGEST: newDigest }),
    stdout: deployed({ digest: newDigest, jobs: bothJobs }),
  },
];

/** Everything stands, with an image of its own. */
const again = (vault: unknown[] = [secret('crm-api-key')], jobs = bothJobs): Scripted[] => [
  ...machine,
  { line: 'az group exists --name rg-lamp-dev', stdout: 'true\n' },
  { line: show('foundation'), stdout: deployed() },
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

const commands = () => said.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));

test('a dry run prints exactly what a first deployment runs, in order, and needs no program at all', async () => {
  await tools.script(first([secret('crm-api-key')]));
  expect((await run()).error).toBeNull();
  const real = commands();

  const dry: string[] = [];
  await dryRun(tools.root, target(given, 'lamp-dev'), (line) => dry.push(line));
  const promised = dry
    .filter((line) => line.startsWith('$ '))
    .filter((line) => !/# when (something|the group)/.test(line))
    .map((line) => line.slice(2).replace(/ {3}#.*/, ''))
    .map((line) =>
      line
        .replaceAll('<auth-client-id>', appId)
        .replaceAll('<auth-object-id>', 'o-1')
        .replaceAll('<your-object-id>', me)
        .replaceAll('<registry>', 'cr1')
        .replaceAll('<vault>', 'kv-1')
        .replaceAll('<app>', 'func-1')
        .replaceAll('<digest>', newDigest),
    );
  expect(real).toEqual(promised);
  expect(dry[0]).toBe('Nothing is run. <…> becomes known on the way.');
  expect(dry.filter((line) => line.startsWith('\n== ')).map((line) => line.slice(4).split(':')[0])).toEqual([...steps]);
});

test('a first deployment stops where IT must set secrets, says how, and goes on from there', async () => {
  await tools.script(first([]));
  const { error } = await run();
  expect(error).toContain(
    'Crm-Api-Key of pull is missing: az keyvault secret set --vault-name kv-1 --name Crm-Api-Key --file <file> --encoding utf-8',
  );
  const next = error?.split('\n').at(-1)?.trim();
  expect(next).toBe(
    'lamp deploy --name lamp-dev --resource-group rg-lamp-dev --environment dev --location westeurope ' +
      '--alert-emails ops@contoso.com --from access --yes',
  );
  const calls = await tools.calls();
  expect(calls).toContain(create('foundation'));
  expect(calls).not.toContain(create('access'));
  expect(calls).not.toContain(publish);

  // A second person goes on, on a machine that has the package.
  said = [];
  const now = first([secret('crm-api-key')]).filter(({ line }) => !line.startsWith('az group exists'));
  const stands: Scripted[] = [
    { line: 'az group exists --name rg-lamp-dev', stdout: 'true\n' },
    { line: show('foundation'), stdout: deployed() },
    { line: show('all'), ...missing('DeploymentNotFound') },
  ];
  await tools.script([...stands, ...now]);
  expect((await run({ from: 'access' })).error).toBeNull();
  expect(commands().filter((line) => / (ad app|group create) /.test(line) && !line.includes('deployment'))).toEqual([]);
  expect((await tools.calls()).at(-1)).toBe(publish);
});

test('the app registration has a scope that the Azure CLI may ask for, version 2 tokens, and nothing secret', () => {
  const bodies = registrationBodies(appId);
  const [scope, client] = Object.values(bodies) as [
    {
      identifierUris: string[];
      api: { requestedAccessTokenVersion: number; oauth2PermissionScopes: { id: string }[] };
    },
    { api: { preAuthorizedApplications: { appId: string; delegatedPermissionIds: string[] }[] } },
  ];
  expect(scope.identifierUris).toEqual([`api://${appId}`]);
  expect(scope.api.requestedAccessTokenVersion).toBe(2);
  const id = scope.api.oauth2PermissionScopes[0]?.id;
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(client.api.preAuthorizedApplications).toEqual([
    { appId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46', delegatedPermissionIds: [id] },
  ]);
  expect(registrationBodies(appId)).toEqual(bodies);
  expect(JSON.stringify(bodies)).not.toMatch(/passwordCredentials|keyCredentials/);
});

test('deploying again makes no registration, no foundation and no image, and keeps who is told and let in', async () => {
  await tools.script(again());
  const { error } = await run({ alertEmails: undefined as never, location: undefined as never });
  expect(error).toBeNull();
  const calls = await tools.calls();
  expect(calls.filter((line) => line.startsWith('az ad'))).toEqual([]);
  expect(calls.filter((line) => line.includes('acr build'))).toEqual([]);
  expect(calls.filter((line) => line.startsWith('az deployment group create'))).toEqual([create('all')]);
  expect(said.join('\n')).toContain(`The image before this one, for a roll-back: ${oldDigest}`);
});

test('a new job with a secret may read it before its Container Apps Job is made', async () => {
  await tools.script(again([secret('crm-api-key')], [{ name: 'score', secrets: [] }]));
  expect((await run()).error).toBeNull();
  const creates = (await tools.calls()).filter((line) => line.startsWith('az deployment group create'));
  expect(creates).toEqual([create('access'), create('all')]);
  expect(said).toContain('  New: pull');
});

test('after a deployment that failed, what the foundation made and who was let in are still known', async () => {
  const failed = { line: show('all'), stdout: deployed({ digest: newDigest, callers: [me, pipeline], failed: true }) };
  await tools.script([failed, ...again().filter(({ line }) => line !== show('all'))]);
  expect((await run({ from: 'jobs' })).error).toContain('There is no infra/jobs.json here');
  await file('infra/jobs.json', packed);
  await file('dist/app/index.js', '');
  await tools.script([failed, ...again().filter(({ line }) => line !== show('all'))]);
  expect((await run({ from: 'jobs' })).error).toBeNull();
});

test('a roll-back takes the image that is asked for, and refuses one that the registry lacks', async () => {
  const find = `az acr repository show --name cr1 --image lamplighter-runtime@${oldDigest} --output json`;
  const all = { LAMPLIGHTER_IMAGE_DIGEST: oldDigest, LAMPLIGHTER_CALLERS: JSON.stringify([me, pipeline]) };
  await tools.script([
    { line: find, stdout: { digest: oldDigest } },
    { line: create('all'), env: variables('all', all), stdout: deployed({ digest: oldDigest, jobs: bothJobs }) },
    ...again(),
  ]);
  expect((await run({ image: `cr1.azurecr.io/lamplighter-runtime@${oldDigest}` })).error).toBeNull();

  await tools.script([{ line: find, ...missing('MANIFEST_UNKNOWN') }, ...again()]);
  expect((await run({ image: oldDigest })).error).toContain('az acr import --name cr1');
});

test('Docker builds and pushes the image when it is told to', async () => {
  const name = `cr1.azurecr.io/lamplighter-runtime:${tag}`;
  await tools.script([
    { line: image(), ...missing('MANIFEST_UNKNOWN') },
    { line: image(), stdout: { digest: newDigest } },
    { line: 'az acr login --name cr1', stdout: 'Login Succeeded\n' },
    {
      line: `docker build --pull --build-arg BASE=docker.io/library/python:3.12-slim --platform linux/amd64 --tag ${name} .lamplighter/deploy/image`,
    },
    { line: `docker push ${name}` },
    ...again().filter(({ line }) => line !== image()),
  ]);
  expect((await run({ builder: 'docker' })).error).toBeNull();
  const laidOut = await readFile(join(tools.root, '.lamplighter/deploy/image/lamplighter_shim/__main__.py'), 'utf8');
  expect(laidOut).toBe('print("here")\n');
});

test('the tag of the image changes with what is in it and with its base, and with nothing else', async () => {
  await file('infra/runtime/lamplighter_shim/__pycache__/other.pyc', 'compiled');
  expect(await imageTag(tools.root, defaultBase)).toBe(tag);
  expect(await imageTag(tools.root, 'python:3.13-slim')).not.toBe(tag);
  await file('infra/runtime/lamplighter_shim/__main__.py', 'print("there")\n');
  expect(await imageTag(tools.root, defaultBase)).not.toBe(tag);
});

test('without --yes, and with nobody to ask, changes are shown and not made', async () => {
  const what = create('all').replace(' create ', ' what-if ').replace(' --output json', '');
  await tools.script([{ line: what, stdout: '+ Microsoft.App/jobs/lamp-pull\n' }, ...again()]);
  const { error } = await run({ yes: false });
  expect(error).toContain('There is nobody to ask here');
  expect(said.join('')).toContain('+ Microsoft.App/jobs/lamp-pull');
  expect((await tools.calls()).filter((line) => line.startsWith('az deployment group create'))).toEqual([]);
});

test('--what-if asks Azure and changes nothing', async () => {
  const what = create('all').replace(' create ', ' what-if ').replace(' --output json', '');
  const env = { LAMPLIGHTER_STAGE: 'all', LAMPLIGHTER_IMAGE_DIGEST: oldDigest };
  await tools.script([{ line: what, env, stdout: 'no change\n' }, ...again()]);
  expect((await run({ whatIf: true })).error).toBeNull();
  const changing = /create|build|push|publish|patch|delete/;
  expect((await tools.calls()).filter((line) => changing.test(line))).toEqual([]);

  await tools.script([{ line: 'az group exists --name rg-lamp-dev', stdout: 'false' }, ...first([])]);
  expect((await run({ whatIf: true })).error).toContain('no deployment has been finished');
});

test.each([
  ['az', 'https://aka.ms/azure-cli'],
  ['func', 'npm install --global azure-functions-core-tools@4'],
])('a machine without %s is told how to get it', async (program, remedy) => {
  await tools.script(again());
  await tools.without(program);
  const { error } = await run();
  expect(error).toContain(`${program} (`);
  expect(error).toContain(remedy);
});

const instead = (line: string, answer: Omit<Scripted, 'line'>) => () => [
  { line, ...answer },
  ...again().filter((one) => one.line !== line),
];

test.each<[string, () => Scripted[], Partial<DeployOptions>, RegExp]>([
  [
    'az too old',
    instead('az version --output json', { stdout: { 'azure-cli': '2.60.9' } }),
    {},
    /az 2\.60\.9 is too old: 2\.61\.0 or newer is needed\. az upgrade/,
  ],
  ['Bicep too old', instead('az bicep version', { stdout: 'Bicep CLI version 0.9.1 (x)' }), {}, /az bicep upgrade/],
  ['func too old', instead('func --version', { stdout: '4.0.5455\n' }), {}, /func 4\.0\.5455 is too old/],
  [
    'nobody signed in',
    instead('az account show --output json', { code: 1, stderr: "ERROR: Please run 'az login' to setup account.\n" }),
    {},
    /Cause: nobody is signed in.*\nDo: {4}az login/,
  ],
  ['another subscription', again, { subscription: 'Contoso Prod' }, /az account set --subscription 'Contoso Prod'/],
  [
    'an outage, which is not taken for a first deployment',
    instead(show('foundation'), { code: 1, stderr: 'ERROR: HTTPSConnectionPool: Max retries exceeded\n' }),
    {},
    /Azure was not reached/,
  ],
  [
    'a secret switched off',
    () => again([secret('crm-api-key', false)]),
    {},
    /is disabled: az keyvault secret set-attributes/,
  ],
  [
    'a vault that keeps the person out',
    instead(secrets, {
      code: 1,
      stderr: 'ERROR: (Forbidden) Caller is not authorized to perform action\nForbiddenByRbac\n',
    }),
    {},
    /LAMPLIGHTER_SECRET_OFFICERS/,
  ],
  [
    'no right to give rights',
    instead(create('all'), {
      code: 1,
      stderr: "ERROR: AuthorizationFailed: no action 'Microsoft.Authorization/roleAssignments/write' over scope\n",
    }),
    {},
    /Owner, or Contributor and User Access Administrator(.|\n)*--from image --yes$/,
  ],
  [
    'a package that cannot be made',
    instead('npm run package', { code: 1, stderr: 'jobs/pull/job.yaml: needs 9 vCPU\n' }),
    {},
    /npm run package ended with 1(.|\n)*needs 9 vCPU(.|\n)*--from package --yes$/,
  ],
  ['output that is no JSON', instead('az account show --output json', { stdout: 'WARNING' }), {}, /printed no JSON/],
  [
    'no right yet for the package',
    instead(publish, { code: 1, folder: 'dist/app', stderr: 'Error uploading: 403 AuthorizationPermissionMismatch\n' }),
    {},
    /given less than five minutes ago(.|\n)*--from app --yes$/,
  ],
])('%s is told with what to do', async (_, script, options, expected) => {
  await tools.script(script());
  expect((await run(options)).error).toMatch(expected);
});

test('a registry that may not build says how to build here', async () => {
  const script = first([secret('crm-api-key')]).filter(({ line }) => line !== build());
  await tools.script([{ line: build(), code: 1, stderr: 'ERROR: (TasksOperationsNotAllowed) ACR Tasks\n' }, ...script]);
  expect((await run()).error).toMatch(/--builder docker(.|\n)*--from image --yes$/);
});

test('jobs with problems stop everything before Azure is changed', async () => {
  await file('jobs/score/job.yaml', 'description: nothing else\n');
  await tools.script(again());
  const { error } = await run();
  expect(error).toContain('The jobs have problems');
  expect((await tools.calls()).filter((line) => /create|publish/.test(line))).toEqual([]);
});

test('a deployment after which something is not right fails, and is verified again without deploying', async () => {
  await tools.script(again());
  expect((await run({}, { right: false })).error).toMatch(/something is not right(.|\n)*--from verify --yes$/);
});

test('a pipeline and other officers are given by variables', async () => {
  const callers = JSON.stringify([pipeline]);
  await tools.script([
    {
      line: create('all'),
      env: variables('all', { LAMPLIGHTER_CALLERS: callers }),
      stdout: deployed({ jobs: bothJobs }),
    },
    ...again().filter(({ line }) => line !== create('all')),
  ]);
  expect((await run({}, { env: { LAMPLIGHTER_CALLERS: callers } })).error).toBeNull();
  expect((await run({}, { env: { LAMPLIGHTER_CALLERS: 'dana' } })).error).toContain('expected JSON such as ["<id>"]');
});

test('a first deployment must say where it goes and who is told', async () => {
  await tools.script(first([]));
  expect((await run({ location: undefined as never })).error).toContain('--location');
  expect((await run({ alertEmails: undefined as never })).error).toContain('--alert-emails');
});

test('every value that is not what it should be is refused at once, before a shell could read it', () => {
  const wrong = { ...given, name: 'a;rm', resourceGroup: 'x y', base: 'python:3 && true', authClientId: 'me' };
  expect(() => target({ ...wrong, alertEmails: 'ops' }, 'x')).toThrow(
    /--name "a;rm"(.|\n)*--alert-emails "ops"(.|\n)*--resource-group "x y"(.|\n)*--auth-client-id "me"(.|\n)*--base/,
  );
});

test('commands are shown as a shell takes them, and given to cmd.exe without operators', () => {
  expect(commandText({ argv: ['az', 'x', "it's"], env: { A: '["b"]' }, folder: 'dist/app' })).toBe(
    `(cd dist/app && A='["b"]' az x 'it'\\''s')`,
  );
  expect(cmdText(['az.cmd', 'https://x?a=1&b=2'])).toBe('"az.cmd" "https://x?a=1&b=2"');
  expect(() => cmdText(['a"b'])).toThrow('safely');
});

test('infra/ reads every variable that a deployment sets, and gives every output that it goes on with', async () => {
  const infra = join(import.meta.dirname, '../infra');
  const main = await readFile(join(infra, 'main.bicep'), 'utf8');
  for (const name of outputNames) expect(main).toMatch(new RegExp(`^output ${name} `, 'm'));
  const known = { ...placeholders, digest: newDigest };
  const set = Object.keys(deployCommand(target(given, 'lamp-dev'), known, 'all').env ?? {});
  expect(set).toContain('LAMPLIGHTER_IMAGE_DIGEST');
  for (const environment of ['dev', 'prod']) {
    const text = await readFile(join(infra, `${environment}.bicepparam`), 'utf8');
    for (const name of set) expect(text).toContain(`'${name}'`);
    expect(text).toMatch(/^param name = '[a-z0-9-]{2,10}'/m);
  }
});

test('docs/deploy.md explains every failure that lamp deploy knows', async () => {
  const text = await readFile(join(import.meta.dirname, '../docs/deploy.md'), 'utf8');
  expect(causes.length).toBeGreaterThan(15);
  for (const { sign } of causes) expect(text).toContain(sign);
});
