import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { containerAppsExecutor } from '../../shared/executors/container-apps/container-apps.ts';
import type { AttemptSpec } from '../../shared/run/attempt.ts';
import { Arm } from '../support/arm/arm.ts';
import { token } from '../support/arm/arm-admission.ts';
import { byHand, image, attemptRef as ref, spec, ticket } from '../support/arm/arm-executor.ts';
import { shimRunner } from '../support/arm/arm-runner.ts';
import { job } from '../support/pipeline/cast.ts';
import { executorContract } from '../support/pipeline/executor-contract.ts';
import { World } from '../support/shim/shim.ts';

executorContract('Container Apps', async () => {
  const arm = await Arm.open(shimRunner(), { 'lamp-score-prospects': {} });
  const folder = await mkdtemp(join(tmpdir(), 'arm-'));
  const authority = join(folder, 'ca.pem');
  await writeFile(authority, arm.access.transport.tlsOptions.ca);
  const { credential: _, transport: __, ...place } = arm.access;
  const options = { ...place, prefix: 'lamp', image };
  const shelf = await World.create();
  const ticket = async (spec: AttemptSpec) => {
    await shelf.put(`${spec.run}/spec.json`, Buffer.from(JSON.stringify(spec)));
    return shelf.url(`${spec.run}/spec.json`, 'rd');
  };
  const executor = containerAppsExecutor({
    ...options,
    ...arm.access,
    jobs: (name) => job(name),
    ticket,
  });
  return {
    executor,
    sharesDisk: true,
    async startAndDie(spec) {
      const host = spawn(process.execPath, [join(import.meta.dirname, '../support/arm/arm-start-and-die.ts')], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, NODE_EXTRA_CA_CERTS: authority },
      });
      host.stdin.end(JSON.stringify({ options, token, ticket: await ticket(spec), spec }));
      const [handle, [, signal]] = await Promise.all([text(host.stdout), once(host, 'close')]);
      expect(signal).toBe('SIGKILL');
      return handle;
    },
    async close() {
      await arm.close();
      await rm(folder, { recursive: true });
      expect(arm.violations).toEqual([]);
    },
  };
});

const busy = { status: 503, code: 'ServiceUnavailable', message: 'Try again.' };

test('a start is one request to Azure, which carries all that the job needs and no secret value', async () => {
  const { arm, executor, runner } = await byHand();
  const handle = await executor.start(spec());
  expect(handle).toBe(arm.executions[0]?.name);
  expect(arm.asked.map(({ operation }) => operation)).toEqual(['start']);
  const secretRefs = [
    { name: 'CRM_API_KEY', secretRef: 'crm-api-key' },
    { name: 'DB', secretRef: 'warehouse' },
  ];
  const ours = [
    { name: 'LAMPLIGHTER_SPEC', value: ticket },
    { name: 'LAMPLIGHTER_RUN', value: 'score/20261120T070000Z/1' },
  ];
  const resources = { cpu: 0.5, memory: '1Gi' };
  expect(arm.executions[0]?.template).toEqual({
    containers: [{ name: 'job', image, resources, env: [...secretRefs, ...ours] }],
  });
  expect(runner.launched[0]?.env).toMatchObject({ CRM_API_KEY: 'key-of-crm', DB: 'password' });
});

test('the history says which image ran, by its digest', async () => {
  const { executor } = await byHand();
  expect(executor.image).toBe(`sha256:${'0a'.repeat(32)}`);
  expect(executor.needsSecretValues).toBe(false);
});

test('a start that Azure only accepts is one request too, and its execution is found when it is wanted', async () => {
  const { arm, executor, runner } = await byHand();
  arm.accepts = 'accepted and named';
  expect(await executor.start(spec(1))).toBe(arm.executions[0]?.name);
  arm.accepts = 'accepted';
  const handle = await executor.start(spec(2));
  expect(handle).not.toBe('');
  expect(arm.asked.map(({ operation }) => operation)).toEqual(['start', 'start']);
  expect(await executor.status(ref(handle, 2))).toBe('running');
  await executor.stop(ref(handle, 2));
  await arm.executions[1]?.over;
  expect(await executor.status(ref(handle, 2))).toBe('ended');
  expect(runner.launched).toHaveLength(2);
  expect(arm.executions[0]?.state).toBe('Running');
});

test('a success without a body is a success', async () => {
  const { arm, executor } = await byHand();
  arm.once('start', { done: true, answer: { status: 200 } });
  const handle = await executor.start(spec());
  expect(arm.asked.map(({ operation }) => operation)).toEqual(['start']);
  expect(await executor.status(ref(handle))).toBe('running');
});

const unclear = {
  'a 500': { status: 500, code: 'InternalServerError', message: 'Internal server error occurred.' },
  'a 502 of a gateway': { status: 502, message: '<html>Bad Gateway</html>' },
  'a 503 that asks to come again': { ...busy, headers: { 'retry-after': '1' } },
  'a 504': { status: 504, code: 'GatewayTimeout', message: 'The gateway did not receive a response.' },
  'a 408': { status: 408, code: 'RequestTimeout', message: 'Too slow.' },
  'a 409': { status: 409, code: 'Conflict', message: 'Another operation is in progress.' },
  'a broken connection': 'lost',
  'no answer at all': 'never',
} as const;

test.each(
  Object.entries(unclear),
)('a job that was started although the answer was %s is found, and is not started again', async (_, answer) => {
  const { arm, executor } = await byHand({ patienceMs: 300 });
  arm.once('start', { done: true, answer });
  const other = await executor.start(spec(2)).catch((error) => error);
  expect(other).toBe(arm.executions[0]?.name);
  expect(arm.count('start')).toBe(1);
  expect(arm.executions).toHaveLength(1);
});

test.each(
  Object.entries(unclear),
)('a job that was not started, as %s left open, is reported as a matter of the platform', async (_, answer) => {
  const { arm, executor } = await byHand({ patienceMs: 300 });
  arm.once('start', { done: false, answer });
  await expect(executor.start(spec())).rejects.toMatchObject({
    name: 'StartError',
    class: 'infrastructure',
    message: expect.stringMatching(/did not say whether it started the job.*not among its executions after 3 looks/s),
  });
  expect([arm.count('start'), arm.count('list'), arm.executions.length]).toEqual([1, 3, 0]);
});

test('an execution that shows up in the history late, and behind a hundred others, is found all the same', async () => {
  const { arm, executor } = await byHand();
  for (let attempt = 1; attempt <= 7; attempt++) await executor.start(spec(attempt));
  arm.pageSize = 3;
  arm.lag = 2;
  arm.once('start', { done: true, answer: busy });
  const handle = await executor.start(spec(8));
  expect(handle).toBe(arm.executions[7]?.name);
  expect(arm.count('start')).toBe(8);
  // Three looks of three pages each, and the first two do not show it.
  expect(arm.count('list')).toBe(9);
});

test('a history that cannot be read either is reported so', async () => {
  const { arm, executor } = await byHand();
  arm.once('start', { done: true, answer: busy });
  arm.fault = (operation) => (operation === 'list' ? { done: false, answer: busy } : undefined);
  await expect(executor.start(spec())).rejects.toMatchObject({
    class: 'infrastructure',
    message: expect.stringMatching(/503 ServiceUnavailable: Try again.*cannot be looked for \(503/s),
  });
  expect(arm.count('start')).toBe(1);
});

test('a history that fails once while a start is looked for does not hide it', async () => {
  const { arm, executor } = await byHand();
  arm.once('start', { done: true, answer: 'lost' });
  arm.once('list', { done: false, answer: busy });
  expect(await executor.start(spec())).toBe(arm.executions[0]?.name);
});

test('started twice, an attempt has two executions, of which the living one is meant', async () => {
  const { arm, executor, runner } = await byHand();
  const handles = [await executor.start(spec()), await executor.start(spec())];
  expect(arm.count('list')).toBe(0);
  // The second shim finds the attempt taken.
  runner.end({ code: 75 }, handles[1]);
  await arm.executions[1]?.over;
  expect(await executor.status(ref(handles[1] ?? ''))).toBe('unknown');
  expect(await executor.status(ref(handles[0] ?? ''))).toBe('running');
  expect(await executor.status(ref(null))).toBe('running');
  await executor.stop(ref(null));
  await arm.executions[0]?.over;
  expect(arm.executions.map(({ state }) => state)).toEqual(['Stopped', 'Failed']);
});
