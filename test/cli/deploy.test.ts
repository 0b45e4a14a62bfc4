import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deploy as deployCommand, placeholders } from '../../cli/deploy/az.ts';
import { cmdText, commandText } from '../../cli/deploy/command.ts';
import { causes } from '../../cli/deploy/failure.ts';
import { imageTag } from '../../cli/deploy/image.ts';
import { defaultBase, steps, target } from '../../cli/deploy/options.ts';
import { outputNames } from '../../cli/deploy/outputs.ts';
import { nodeVersion } from '../../cli/deploy/preflight.ts';
import { registrationBodies } from '../../cli/deploy/registration.ts';
import { dryRun } from '../../cli/deploy/sequence.ts';
import { right, wrong } from '../../cli/verify/finding.ts';
import type { Scripted } from '../support/azure/azure-tools.ts';
import {
  account,
  again,
  appId,
  bothJobs,
  build,
  channel,
  commands,
  create,
  deployed,
  file,
  first,
  given,
  image,
  me,
  missing,
  newDigest,
  oldDigest,
  packed,
  pipeline,
  preflight,
  publish,
  receivers,
  run,
  said,
  secret,
  secrets,
  show,
  slept,
  sync,
  tag,
  tools,
  variables,
} from '../support/azure/deploy-world.ts';

test('a dry run prints exactly what a first deployment runs, in order, and needs no program at all', async () => {
  await tools.script(first([secret('crm-api-key')]));
  expect((await run()).error).toBeNull();
  const real = commands();

  const dry: string[] = [];
  await dryRun(tools.root, target(given, 'lamp-dev'), (line) => dry.push(line));
  const promised = dry
    .filter((line) => line.startsWith('$ '))
    .filter((line) => !/# when (something|the group|the timer)/.test(line))
    .map((line) => line.slice(2).replace(/ {3}#.*/, ''))
    .map((line) =>
      line
        .replaceAll('<auth-client-id>', appId)
        .replaceAll('<auth-object-id>', 'o-1')
        .replaceAll('<your-object-id>', me)
        .replaceAll('<registry>', 'cr1')
        .replaceAll('<vault>', 'kv-1')
        .replaceAll('<app>', 'func-1')
        .replaceAll('<subscription>', 's-1')
        .replaceAll('<first-of-month>', '2026-11-01')
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
  said.length = 0;
  const now = first([secret('crm-api-key')]).filter(({ line }) => !line.startsWith('az group exists'));
  const stands: Scripted[] = [
    { line: 'az group exists --name rg-lamp-dev', stdout: 'true\n' },
    { line: show('foundation'), stdout: deployed() },
    { line: show('all'), ...missing('DeploymentNotFound') },
    { line: channel, ...missing('ResourceNotFound') },
  ];
  await tools.script([...stands, ...now]);
  expect((await run({ from: 'access' })).error).toBeNull();
  expect(commands().filter((line) => / (ad app|group create) /.test(line) && !line.includes('deployment'))).toEqual([]);
  expect((await tools.calls()).slice(-2)).toEqual([publish, sync]);
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

test('deploying again makes no registration, no foundation and no image, and keeps who is notified and let in', async () => {
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
  expect((await run({ image: oldDigest })).error).toContain('To take it from another registry: --image-from');
});

test('Docker builds and pushes the image when it is asked to', async () => {
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

test('without --yes, and with no one to ask, changes are shown and not made', async () => {
  const what = create('all').replace(' create ', ' what-if ').replace(' --output json', '');
  await tools.script([{ line: what, stdout: '+ Microsoft.App/jobs/lamp-pull\n' }, ...again()]);
  const { error } = await run({ yes: false });
  expect(error).toContain('There is no one to ask here');
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

test('jobs with problems stop everything before Azure is changed', async () => {
  await file('jobs/score/job.yaml', 'description: nothing else\n');
  await tools.script(again());
  const { error } = await run();
  expect(error).toContain('The jobs have problems');
  expect((await tools.calls()).filter((line) => /create|publish/.test(line))).toEqual([]);
});

test('a deployment after which something is not right fails, and is verified again without deploying', async () => {
  await tools.script(again());
  expect((await run({}, { found: [[wrong('roles', 'x', 'y')]] })).error).toMatch(
    /something is not right(.|\n)*--from verify --yes$/,
  );
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

test('a resource group that a person has made is taken as it is, without a region', async () => {
  const lines = first([secret('crm-api-key')]).filter(({ line }) => !/group (exists|create) --name/.test(line));
  await tools.script([
    { line: 'az group exists --name rg-lamp-dev', stdout: 'true\n' },
    { line: show('foundation'), ...missing('DeploymentNotFound') },
    ...lines,
  ]);
  expect((await run({ location: undefined as never })).error).toBeNull();
});

test.each([
  ['nothing at all', 'Error: repository name not known to registry. Correlation ID: c-1.'],
  ['other images', 'Error: the specified tag does not exist. Correlation ID: c-1.'],
])('an image is built when the registry has %s', async (_, text) => {
  const here = again().filter(({ line }) => line !== image());
  const lacks = { line: image(), code: 1, stderr: `ERROR: 2026-11-20 22:13:01.123456 ${text}\n` };
  await tools.script([...here, lacks, { line: image(), stdout: { digest: newDigest } }, { line: build() }]);
  expect((await run({ from: 'image' })).error).toContain('--from package');
  await file('infra/jobs.json', packed);
  await file('dist/app/index.js', '');
  expect((await run({ from: 'image' })).error).toBeNull();
  expect(await tools.calls()).toContain(build());
});

test('a pipeline asks for the token that verify needs while its sign-in is young, and a person does not', async () => {
  const early = `az account get-access-token --resource ${appId} --output none`;
  await tools.script(again());
  await run();
  expect(commands()).not.toContain(early);
  said.length = 0;
  const robot = { ...account, user: { name: pipeline, type: 'servicePrincipal' } };
  const others = again().filter(({ line }) => !line.startsWith('az account'));
  await tools.script([...others, { line: 'az account show --output json', stdout: robot }, { line: early, code: 1 }]);
  expect((await run()).error).toBeNull();
  expect(commands().indexOf(early)).toBeGreaterThan(0);
  expect(commands().indexOf(early)).toBeLessThan(commands().indexOf('npm run package'));
});

test('a first deployment must say where it goes and who is notified', async () => {
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
  const infra = join(import.meta.dirname, '../../infra');
  const main = await readFile(join(infra, 'main.bicep'), 'utf8');
  for (const name of outputNames) expect(main).toMatch(new RegExp(`^output ${name} `, 'm'));
  const known = { ...placeholders, digest: newDigest, callerGroups: [me], channelsStand: true, callerClients: [appId] };
  const set = Object.keys(deployCommand(target(given, 'lamp-dev'), known, 'all').env ?? {});
  expect(set).toHaveLength(10);
  for (const environment of ['dev', 'prod']) {
    const text = await readFile(join(infra, `${environment}.bicepparam`), 'utf8');
    for (const name of set) expect(text).toContain(`'${name}'`);
    expect(text).toMatch(/^param name = '[a-z0-9-]{2,10}'/m);
  }
});

test('docs/deploy.md explains every failure that lamp deploy knows', async () => {
  const text = await readFile(join(import.meta.dirname, '../../docs/deploy.md'), 'utf8');
  expect(causes.length).toBeGreaterThan(15);
  for (const { sign } of causes) expect(text).toContain(sign);
});

test('what only needs minutes is tried again with the reason shown: a pull that fails for three minutes', async () => {
  const says =
    'ERROR: Field configuration.registries is invalid: unable to pull image using Managed identity id-lamp-pull\n';
  const whole = again();
  const last = whole.find(({ line }) => line === create('all')) as Scripted;
  const fails = Array.from({ length: 6 }, (): Scripted => ({ ...last, stdout: '', stderr: says, code: 1 }));
  await tools.script([...fails, ...whole]);
  expect((await run()).error).toBeNull();
  expect(slept).toEqual(Array.from({ length: 6 }, () => 30_000));
  expect(said).toContain('  a new role is not effective yet: try 2 of 20 in 30 s');
});

test.each([
  [
    'a 403 of the vault that turns into 200',
    secrets,
    'ERROR: (Forbidden) Caller is not authorized to perform action on resource. Inner error: ForbiddenByRbac',
    'a new right to the vault is not effective yet',
  ],
  [
    'a registry that Resource Graph does not list yet',
    'build',
    "ERROR: The resource with name 'cr1' and type 'Microsoft.ContainerRegistry/registries' could not be found in subscription 'Dev (s-1)'.",
    'Azure Resource Graph does not list the new registry yet',
  ],
])('%s is waited for', async (_, line, stderr, why) => {
  const words = line === 'build' ? build() : line;
  await tools.script([{ line: words, stderr, code: 1 }, ...first([secret('crm-api-key')])]);
  expect((await run()).error).toBeNull();
  expect(said.join('\n')).toContain(why);
});

test('what does not pass is reported at once, and what does not pass within ten minutes as well', async () => {
  const all = again().find(({ line }) => line === create('all')) as Scripted;
  await tools.script([{ ...all, stdout: '', code: 1, stderr: 'ERROR: (RequestDisallowedByPolicy) no' }, ...again()]);
  expect((await run()).error).toContain('a policy of your company');
  expect(slept).toEqual([]);
  await tools.script([
    { ...all, stdout: '', code: 1, stderr: 'unable to pull image using Managed identity' },
    ...again().filter(({ line }) => line !== all.line),
  ]);
  expect((await run()).error).toContain('lamp deploy tries this again by itself for 10 minutes');
  expect(slept).toHaveLength(19);
});

test('an upload that func calls unhealthy is no failed upload: verify decides', async () => {
  const unhealthy = {
    line: publish,
    folder: 'dist/app',
    code: 1,
    stderr: 'Deployment was successful but the app appears to be unhealthy, please check the app logs.\n',
  };
  await tools.script([unhealthy, ...again()]);
  expect((await run()).error).toBeNull();
  expect(said.join('\n')).toContain('The upload went well');
  await tools.script([{ ...unhealthy, stderr: 'Upload failed\n' }, ...again().filter(({ line }) => line !== publish)]);
  expect((await run()).error).toContain('Upload failed');
});

test('a timer that is dead after the deployment is noticed: the app is stopped, started and looked at again', async () => {
  const lines = ['stop', 'start'].map((verb) => ({
    line: `az functionapp ${verb} --name func-1 --resource-group rg-lamp-dev`,
  }));
  await tools.script([...lines, ...again()]);
  const dead = [wrong('ticks', 'one new tick in 150 s: the timer seems dead', 'stop, start')];
  expect((await run({}, { found: [dead, [right('ticks', 'two new ticks')]] })).error).toBeNull();
  expect((await tools.calls()).slice(-3)).toEqual([...lines.map(({ line }) => line), sync]);
  expect((await run({}, { found: [dead, dead] })).error).toContain('something is not right');
});

test('thirteen callers are refused early, with what to do instead', async () => {
  await tools.script(again());
  const ids = Array.from({ length: 13 }, (_, at) => `11111111-1111-4111-8111-${String(at).padStart(12, '0')}`);
  const before = (await tools.calls()).length;
  const { error } = await run({}, { env: { LAMPLIGHTER_CALLERS: JSON.stringify(ids) } });
  expect(error).toContain('LAMPLIGHTER_CALLERS has 13 ids: expected at most 12, as Azure takes 500 characters of them');
  expect(error).toContain('LAMPLIGHTER_CALLER_GROUPS');
  expect((await tools.calls()).slice(before).some((line) => / create /.test(line))).toBe(false);
});

test('what would stop a first deployment is all said before anything is made', async () => {
  await tools.script([
    {
      line: preflight.permissions,
      stdout: { value: [{ actions: ['*'], notActions: ['Microsoft.Authorization/*/Write'] }] },
    },
    { line: preflight.providers, stdout: [{ namespace: 'Microsoft.App', registrationState: 'NotRegistered' }] },
    { line: preflight.deleted, stdout: [{ name: 'kv-lamp-dev-abcdefgh' }, { name: 'kv-other-abcdefgh' }] },
    { line: preflight.runtimes, stdout: [{ version: '22' }] },
    {
      line: preflight.usages,
      stdout: { value: [{ name: { value: 'ManagedEnvironmentCount' }, currentValue: 15, limit: 15 }] },
    },
    ...first([]),
  ]);
  const { error } = await run();
  expect(error).toContain('nothing has been made');
  expect(error).toContain('you may not do Microsoft.Authorization/roleAssignments/write: you need Owner');
  expect(error).toContain('az provider register --wait --namespace Microsoft.App');
  expect(error).toContain('a deleted vault kv-lamp-dev-abcdefgh is kept');
  expect(error).not.toContain('kv-other');
  expect(error).toContain('westeurope has no Flex Consumption with Node 24 (it has 22)');
  expect(error).toContain('15 of 15 Container Apps environments');
  expect((await tools.calls()).filter((line) => / (create|patch) /.test(line))).toEqual([]);
});

test('what preflight may not look at is said, and stops nothing', async () => {
  await tools.script([
    { line: preflight.usages, code: 1, stderr: 'ERROR: (AuthorizationFailed) no' },
    { line: preflight.runtimes, stdout: 'odd' },
    ...first([secret('crm-api-key')]),
  ]);
  expect((await run()).error).toBeNull();
  expect(said.join('\n')).toContain('Not looked at: room for Container Apps');
  expect(said.join('\n')).toContain('Not looked at: the region’s Node');
});

test('what runs in Azure is the Node that preflight looks for', async () => {
  const app = await readFile(join(import.meta.dirname, '../../infra/modules/app.bicep'), 'utf8');
  expect(app).toContain(`version: '${nodeVersion}'`);
});

test('receivers that someone added by hand survive a deployment, and a new address comes beside them', async () => {
  const by = receivers('ops@contoso.com', 'By.Hand@contoso.com');
  const add =
    'az monitor action-group update --name ag-lamp-dev --resource-group rg-lamp-dev ' +
    '--add-action email new@contoso.com new@contoso.com usecommonalertschema --output none';
  const all = {
    LAMPLIGHTER_KEEP_ACTION_GROUP: 'true',
    LAMPLIGHTER_ALERT_EMAILS: 'ops@contoso.com,by.hand@contoso.com,new@contoso.com',
  };
  const whole = again().map((one) => (one.line === create('all') ? { ...one, env: { ...one.env, ...all } } : one));
  await tools.script([{ line: channel, stdout: by }, { line: add }, ...whole]);
  expect((await run({ alertEmails: all.LAMPLIGHTER_ALERT_EMAILS })).error).toBeNull();
  expect((await tools.calls()).filter((line) => line.includes('action-group'))).toEqual([add]);
});

test('prod takes the very image that dev has tried, from the registry of dev', async () => {
  const from = '/subscriptions/s-2/resourceGroups/rg-dev/providers/Microsoft.ContainerRegistry/registries/crdev';
  const find = `az acr repository show --name cr1 --image lamplighter-runtime@${oldDigest} --output json`;
  const take =
    `az acr import --name cr1 --registry ${from} --source lamplighter-runtime@${oldDigest} ` +
    `--image lamplighter-runtime:${'a'.repeat(16)} --force`;
  const all = { LAMPLIGHTER_IMAGE_DIGEST: oldDigest };
  const whole = again().map((one) => (one.line === create('all') ? { ...one, env: { ...one.env, ...all } } : one));
  await tools.script([{ line: find, ...missing('MANIFEST_UNKNOWN') }, { line: take }, ...whole]);
  expect((await run({ image: oldDigest, imageFrom: from })).error).toBeNull();
  const calls = await tools.calls();
  expect(calls).toContain(take);
  expect(calls.some((line) => line.startsWith('az acr build'))).toBe(false);
});
