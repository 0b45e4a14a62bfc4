import { expect, test } from 'vitest';
import { capacity } from '../shared/capacity.ts';
import { minute, second } from '../shared/instant.ts';
import { everyMinute, job, seven } from './support/cast.ts';
import { World } from './support/parts.ts';

const names = ['a', 'b', 'c'];

/** Three jobs that run for good. */
async function busy(): Promise<World> {
  const world = await World.of(...names.map((name) => job(name, { schedule: everyMinute })));
  world.platform.behave = () => 'run';
  await world.pass(world.now + minute);
  expect(world.platform.running()).toHaveLength(3);
  return world;
}

test('as much as the limit says may run at once, of all hosts together', async () => {
  const world = await busy();
  expect(await capacity()(world.parts, 3, world.now)).toBe(false);
  const isFree = capacity();
  const asked = [1, 2, 3].map(() => isFree(world.parts, 5, world.now));
  expect(await Promise.all(asked)).toEqual([true, true, false]);
});

test('a place that became free is seen at once by who waits for it', async () => {
  const world = await busy();
  const isFree = capacity();
  expect(await isFree(world.parts, 3, world.now)).toBe(false);
  const [attempt] = world.platform.running();
  if (!attempt) throw new Error('nothing runs');
  await world.platform.end(attempt);
  await world.settleDown();
  expect(await isFree(world.parts, 3, world.now)).toBe(true);
});

test('a run that waits for its next attempt holds its job and takes no place', async () => {
  const world = await World.of(job('a', { schedule: everyMinute, retry: 'attempts: 3, delay: 10m' }));
  world.platform.behave = () => 'refuse';
  await world.pass(seven - 28 * minute);
  expect(await world.states('a')).toContain('retrying');
  expect(await capacity()(world.parts, 1, world.now)).toBe(true);
});

test('one count serves a burst, and is not believed for longer than five seconds', async () => {
  const world = await busy();
  let reads = 0;
  const { jobs } = world.store;
  const all = () => {
    reads += 1;
    return jobs.all();
  };
  const parts = { ...world.parts, store: { ...world.store, jobs: { ...jobs, all } } };
  const isFree = capacity();
  for (let at = 0; at < 40; at += 1) await isFree(parts, 50, world.now);
  expect(reads).toBe(1);
  await isFree(parts, 50, world.now + 5 * second);
  expect(reads).toBe(2);
});
