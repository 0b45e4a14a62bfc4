import { expect, test } from 'vitest';
import type { Status } from '../../shared/executors/executor.ts';
import type { Exit, Runner } from '../support/arm/arm-execution.ts';
import { attemptRef, byHand, scene, spec } from '../support/arm/arm-executor.ts';
import { actionOf } from '../support/arm/arm-schema.ts';

test.each<[Exit, Status]>([
  [{ code: 0 }, 'ended'],
  [{ code: 1 }, 'ended'],
  [{ code: 75 }, 'unknown'],
  [{ code: 137 }, 'out-of-memory'],
  [{ code: 137, reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }, 'ended'],
  [{ code: 137, message: 'The node was drained' }, 'ended'],
  [{ code: 1, reason: 'OOMKilled' }, 'out-of-memory'],
  [{ code: 137, message: 'Container was terminated: out of memory' }, 'out-of-memory'],
])('an execution that ended with %j is %s', async (exit, status) => {
  const { arm, executor, runner } = await byHand();
  const handle = await executor.start(spec());
  expect(await executor.status(attemptRef(handle))).toBe('running');
  runner.end(exit);
  await arm.executions[0]?.over;
  expect(await executor.status(attemptRef(handle))).toBe(status);
  expect(await executor.status(attemptRef(null))).toBe(status);
  expect([arm.count('get'), arm.count('list')]).toEqual([2, 1]);
});

test('one that was stopped with SIGKILL in the end did not lack memory', async () => {
  const deaf: Runner = (_, stopped) => {
    return new Promise((resolve) => stopped.addEventListener('abort', () => resolve({ code: 137 })));
  };
  const { arm, executor } = await scene({}, deaf);
  const handle = await executor.start(spec());
  await executor.stop(attemptRef(handle));
  await arm.executions[0]?.over;
  expect(arm.executions[0]).toMatchObject({ state: 'Stopped', exit: { code: 137 } });
  expect(await executor.status(attemptRef(handle))).toBe('ended');
});

test('an end without exit code is an end', async () => {
  const { arm, executor, runner } = await byHand();
  arm.details = false;
  const handle = await executor.start(spec());
  runner.end({ code: 137 });
  await arm.executions[0]?.over;
  expect(await executor.status(attemptRef(handle))).toBe('ended');
});

test.each([
  ['Running', 'running'],
  ['Processing', 'running'],
  ['Unknown', 'running'],
  ['Degraded', 'ended'],
  ['Stopped', 'ended'],
] as const)('as long as Azure says %s, an execution is %s, whatever has become of it', async (stuck, status) => {
  const { arm, executor, runner } = await byHand();
  const handle = await executor.start(spec());
  const [execution] = arm.executions;
  if (!execution) expect.fail('nothing was started');
  execution.stuck = stuck;
  runner.end({ code: 0 });
  await execution.over;
  expect(await executor.status(attemptRef(handle))).toBe(status);
});

test('what Azure’s history has lost is unknown, and stopping it is fine', async () => {
  const { arm, executor } = await byHand();
  const handle = await executor.start(spec());
  const [execution] = arm.executions;
  arm.forget(handle);
  for (const name of [handle, null]) {
    expect(await executor.status(attemptRef(name))).toBe('unknown');
    await executor.stop(attemptRef(name));
  }
  execution?.stop();
});

test('the executions of a job whose resource is gone are unknown', async () => {
  const { arm, executor } = await byHand();
  const handle = await executor.start(spec());
  arm.jobs.clear();
  expect(await executor.status(attemptRef(handle))).toBe('unknown');
  expect(await executor.status(attemptRef(null))).toBe('unknown');
  await executor.stop(attemptRef(handle));
});

const outages = {
  'an outage': { status: 503, code: 'ServiceUnavailable', message: 'Try again.' },
  throttling: { status: 429, code: 'TooManyRequests', message: 'Slower.', headers: { 'retry-after': '3600' } },
  'a missing group': { status: 404, code: 'ResourceGroupNotFound', message: "Resource group 'rg' could not be found." },
  'the 404 of a proxy': { status: 404, message: '<html>404</html>' },
  'a missing right': { status: 403, code: 'AuthorizationFailed', message: 'no' },
} as const;

test.each(
  Object.entries(outages),
)('%s is not taken for an answer about the execution, and is not waited for', async (_, answer) => {
  const { arm, executor } = await byHand();
  const handle = await executor.start(spec());
  arm.fault = () => ({ done: false, answer });
  for (const name of [handle, null]) {
    await expect(executor.status(attemptRef(name))).rejects.toThrow(`did not answer it (${answer.status}`);
    await expect(executor.stop(attemptRef(name))).rejects.toThrow(/asked to stop score\/20261120T070000Z\/1/);
  }
  expect(arm.executions[0]?.state).toBe('Running');
});

test('a connection that breaks while Azure is only asked is tried once more', async () => {
  const { arm, executor } = await byHand();
  const handle = await executor.start(spec());
  arm.once('get', { done: false, answer: 'lost' });
  expect(await executor.status(attemptRef(handle))).toBe('running');
  arm.once('get', { done: false, answer: 'lost' }, { done: false, answer: 'lost' });
  await expect(executor.status(attemptRef(handle))).rejects.toThrow('ECONNRESET');
  expect(arm.count('get')).toBe(4);
});

test('an Azure that does not answer is given up in time', async () => {
  const { arm, executor } = await byHand({ patienceMs: 200 });
  const handle = await executor.start(spec());
  arm.once('get', { done: false, answer: 'never' });
  await expect(executor.status(attemptRef(handle))).rejects.toThrow(
    'did not answer it (ETIMEDOUT: no answer from 127.0.0.1',
  );
  expect(arm.count('get')).toBe(1);
});

test('a stop is one request when the name is known', async () => {
  const { arm, executor } = await byHand();
  const handle = await executor.start(spec());
  await executor.stop(attemptRef(handle));
  expect(arm.asked.map(({ operation }) => operation)).toEqual(['start', 'stop']);
  await arm.executions[0]?.over;
  await executor.stop(attemptRef(handle));
});

test.each([
  400, 409, 412,
])('a stop that is refused with %i because it is over already is fine, and else it is not', async (status) => {
  const { arm, executor, runner } = await byHand();
  const handle = await executor.start(spec());
  const answer = { status, code: 'JobExecutionNotRunning', message: 'It does not run.' };
  arm.fault = (operation) => (operation === 'stop' ? { done: false, answer } : undefined);
  await expect(executor.stop(attemptRef(handle))).rejects.toThrow('JobExecutionNotRunning');
  runner.end({ code: 0 });
  await arm.executions[0]?.over;
  await executor.stop(attemptRef(handle));
  arm.forget(handle);
  await executor.stop(attemptRef(handle));
});

test('a stop without the right to stop says so', async () => {
  const { arm, executor } = await byHand();
  const handle = await executor.start(spec());
  arm.allowed.delete(actionOf.stop);
  await expect(executor.stop(attemptRef(handle))).rejects.toThrow(/Microsoft.App\/jobs\/stop\/execution\/action/);
});

test('a history without end is not read to its end, and not taken for an answer', async () => {
  const { arm, executor } = await byHand();
  for (let attempt = 1; attempt <= 21; attempt++) await executor.start(spec(attempt));
  arm.pageSize = 1;
  await expect(executor.status(attemptRef(null, 21))).rejects.toThrow('more than 20 pages');
  expect(arm.count('list')).toBe(20);
  expect(await executor.status(attemptRef(null, 20))).toBe('running');
});
