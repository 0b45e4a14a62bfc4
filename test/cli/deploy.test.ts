import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { steps, target } from '../../cli/deploy/options.ts';
import { dryRun } from '../../cli/deploy/sequence.ts';
import { wrong } from '../../cli/verify/finding.ts';
import type { Scripted } from '../support/azure/azure-tools.ts';
import {
  account,
  again,
  appId,
  assignedLine,
  assignLine,
  bothJobs,
  channel,
  commands,
  create,
  deployed,
  deployWorld,
  file,
  first,
  given,
  me,
  missing,
  newDigest,
  oldDigest,
  packed,
  pipeline,
  publish,
  receivers,
  run,
  said,
  secret,
  show,
  sync,
  tools,
  variables,
} from '../support/azure/deploy-world.ts';

deployWorld();

test('a dry run prints exactly what a first deployment runs, in order, and needs no program at all', async () => {
  await tools.script(first([secret('crm-api-key')]));
  expect((await run({}, { processes: true })).error).toBeNull();
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
        .replaceAll('<service-principal>', 'sp-1')
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

test.each([
  ['', '[]'],
  ['203.0.113.7,', '["203.0.113.7"]'],
])('a dry run lets in the addresses that are named, and no empty one: "%s"', async (allowedAddresses, text) => {
  const dry: string[] = [];
  const options = { ...given, network: 'private', builder: 'docker', allowedAddresses } as const;
  await dryRun(tools.root, target(options, 'lamp-dev'), (line) => dry.push(line));
  const creates = dry.filter((line) => line.includes('LAMPLIGHTER_ALLOWED_ADDRESSES='));
  expect(creates).not.toEqual([]);
  for (const line of creates)
    expect(line).toMatch(new RegExp(`ALLOWED_ADDRESSES='?${text.replace(/[[\].]/g, '\\$&')}`));
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

test('the one that deploys first becomes an admin of the app; where the directory refuses that, it is said, and goes on', async () => {
  await tools.script(first([secret('crm-api-key')]));
  expect((await run()).error).toBeNull();
  const scope = JSON.parse(await readFile(join(tools.root, '.lamplighter/deploy/registration-scope.json'), 'utf8'));
  const admin = scope.appRoles.find(({ value }: { value: string }) => value === 'admin');
  expect(scope.appRoles.map(({ value }: { value: string }) => value)).toEqual([
    'viewer',
    'operator',
    'admin',
    'auditor',
  ]);
  expect(JSON.parse(await readFile(join(tools.root, '.lamplighter/deploy/registration-role.json'), 'utf8'))).toEqual({
    principalId: me,
    resourceId: 'sp-1',
    appRoleId: admin.id,
  });

  said.length = 0;
  const refused = {
    line: assignLine,
    code: 1,
    stderr: 'ERROR: Forbidden: Insufficient privileges to complete the operation.',
  };
  // Neither does it say who has which role.
  const unsaid = { ...refused, line: assignedLine };
  const others = first([secret('crm-api-key')]).filter(({ line }) => line !== assignLine && line !== assignedLine);
  await tools.script([refused, unsaid, ...others]);
  expect((await run()).error).toBeNull();
  expect(said.join('\n')).toContain(`${me} could not be made admin of the app`);
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
