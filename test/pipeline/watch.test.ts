import { expect, test } from 'vitest';
import { cancel } from '../../shared/actions/cancel.ts';
import type { Status } from '../../shared/executors/executor.ts';
import { minute, second } from '../../shared/instant.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const id = '20261120T070000Z';

/** A platform that is as slow to start as Container Apps may be, and is asked in vain, or says what it knows. */
async function slow(says: () => Status) {
  const world = await World.inMemory(job('score', { schedule: hourly, retry: 'attempts: 1' }));
  const asked: number[] = [];
  Object.assign(world.platform, {
    startGraceMs: 10 * minute,
    status: async () => {
      asked.push(world.now);
      return says();
    },
  });
  return { world, asked };
}

test('an attempt whose execution is over before anything began is given up within three minutes, not ten', async () => {
  const { world, asked } = await slow(() => 'ended');
  world.platform.behave = ({ attempt }) => (attempt === 1 ? 'never' : 'succeed');
  await world.pass(seven + 4 * minute);
  const run = await world.row('score');
  expect(run.attempts.map(({ state }) => state)).toEqual(['abandoned', 'succeeded']);
  expect(run.attempts[0]?.error).toContain('ended it before a shim began it');
  expect(run.attempts[0]?.endedAt).toBeLessThanOrEqual(seven + 3 * minute);
  expect(asked).toHaveLength(1);
  expect(await world.leftovers()).toEqual([]);
});

test('a run that can never begin, because its image cannot be pulled, says so within a quarter of an hour', async () => {
  const { world } = await slow(() => 'ended');
  world.platform.behave = () => 'never';
  await world.pass(seven + 15 * minute);
  const run = await world.row('score');
  expect([run.state, run.attempts.length]).toEqual(['lost', 5]);
  expect(run.attempts.at(-1)?.error).toMatch(/given up 5 times .*: the platform ended it .*can it pull the image\?$/);
});

test.each<Status>(['running', 'unknown'])('a start that is only slow (%s) gets its ten minutes', async (status) => {
  const { world, asked } = await slow(() => status);
  world.platform.behave = ({ attempt }) => (attempt === 1 ? 'never' : 'succeed');
  await world.pass(seven + 10 * minute - second);
  expect((await world.row('score')).attempts.map(({ state }) => state)).toEqual(['running']);
  expect(asked.length).toBeLessThanOrEqual(5);
  await world.pass(seven + 11 * minute);
  expect((await world.row('score')).attempts.map(({ state }) => state)).toEqual(['abandoned', 'succeeded']);
});

test('what is given up is also stopped, so that it does not start in the place of the next one', async () => {
  const { world } = await slow(() => 'running');
  world.platform.behave = ({ attempt }) => (attempt === 1 ? 'never' : 'succeed');
  await world.pass(seven + 11 * minute);
  expect(world.platform.stops).toEqual([`score.${id}#1`]);
});

test('a platform that cannot be asked, or does not stop what was given up, keeps nothing from going on', async () => {
  const { world } = await slow(() => {
    throw new Error('the management is unavailable');
  });
  Object.assign(world.platform, { stop: () => Promise.reject(new Error('the management is unavailable')) });
  world.platform.behave = ({ attempt }) => (attempt === 1 ? 'never' : 'succeed');
  await world.pass(seven + 11 * minute);
  expect((await world.row('score')).state).toBe('succeeded');
  expect(await world.leftovers()).toEqual([]);
});

test('the platform is asked about no run that begins within two minutes, retries included', async () => {
  const { world, asked } = await slow(() => 'running');
  world.jobs.clear();
  await world.deploy(job('score', { schedule: hourly, retry: 'attempts: 3, delay: 30s' }));
  world.platform.errorClass = 'network';
  world.platform.behave = ({ attempt }) => (attempt < 3 ? 'fail' : 'run');
  await world.pass(seven + 5 * minute);
  expect((await world.row('score')).attempts.map(({ state }) => state)).toEqual(['failed', 'failed', 'running']);
  expect(asked).toEqual([]);
});

test('a run whose host died while it started is cancelled with the next tick, and no one can begin it any more', async () => {
  const { world } = await slow(() => 'unknown');
  // It is started, and the host dies before it has noted how it is found.
  world.platform.behave = () => 'never';
  const { replace } = world.store.runs;
  Object.assign(world.store.runs, {
    replace: async (...given: Parameters<typeof replace>) => {
      if (given[0].state === 'running') throw new Error('the host is gone');
      return replace(...given);
    },
  });
  await expect(world.pass(seven)).rejects.toThrow('the host is gone');
  expect((await world.row('score')).state).toBe('starting');
  await cancel(world.parts, 'score', id, { by: 'dana', why: 'wrong day' }, world.now);
  await world.pass(seven + minute);
  expect(await world.row('score')).toMatchObject({ state: 'cancelled', reason: 'wrong day' });
  expect(await world.create(world.platform.starts[0]?.blobs.started ?? '', 'a late shim')).toBe(false);
  expect(await world.leftovers()).toEqual([]);
});

test('a platform that is slow to answer is asked about many runs at once', async () => {
  const names = Array.from({ length: 12 }, (_, at) => `score-${at}`);
  const world = await World.inMemory(...names.map((name) => job(name, { schedule: hourly })));
  world.platform.behave = () => 'vanish';
  let [busy, most] = [0, 0];
  Object.assign(world.platform, {
    status: async () => {
      most = Math.max(most, ++busy);
      await new Promise((resolve) => setTimeout(resolve, 20));
      busy -= 1;
      return 'unknown';
    },
  });
  await world.pass(seven + 3 * minute);
  expect(most).toBeGreaterThanOrEqual(8);
});
