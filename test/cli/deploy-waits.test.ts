import { expect, test } from 'vitest';
import { right, wrong } from '../../cli/verify/finding.ts';
import type { Scripted } from '../support/azure/azure-tools.ts';
import {
  again,
  build,
  create,
  deployWorld,
  first,
  publish,
  run,
  said,
  secret,
  secrets,
  slept,
  sync,
  tools,
} from '../support/azure/deploy-world.ts';

deployWorld();

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
