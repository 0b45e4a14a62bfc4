import { expect, test } from 'vitest';
import type { DeployOptions } from '../../cli/deploy/options.ts';
import type { Scripted } from '../support/azure/azure-tools.ts';
import {
  again,
  build,
  create,
  deployWorld,
  first,
  publish,
  run,
  secret,
  secrets,
  show,
  tools,
} from '../support/azure/deploy-world.ts';

deployWorld();

test.each([
  ['az', 'https://aka.ms/azure-cli'],
  ['func', 'npm install --global azure-functions-core-tools@4'],
])('a machine without %s is shown how to get it', async (program, remedy) => {
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
    'no one signed in',
    instead('az account show --output json', { code: 1, stderr: "ERROR: Please run 'az login' to setup account.\n" }),
    {},
    /Cause: no one is signed in.*\nDo: {4}az login/,
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
])('%s is reported with what to do', async (_, script, options, expected) => {
  await tools.script(script());
  expect((await run(options)).error).toMatch(expected);
});

test('a registry that may not build says how to build here', async () => {
  const script = first([secret('crm-api-key')]).filter(({ line }) => line !== build());
  await tools.script([{ line: build(), code: 1, stderr: 'ERROR: (TasksOperationsNotAllowed) ACR Tasks\n' }, ...script]);
  expect((await run()).error).toMatch(/--builder docker(.|\n)*--from image --yes$/);
});
