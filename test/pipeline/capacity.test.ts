import { expect, test } from 'vitest';
import { hour, minute, second } from '../../shared/instant.ts';
import { capacity } from '../../shared/pipeline/capacity.ts';
import { claimAll } from '../../shared/pipeline/claim.ts';
import { newRun, runId } from '../../shared/run/run.ts';
import { readLaunch } from '../../shared/store/launches.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const idOf = (hours: number) => runId(seven - hours * hour, 'schedule');
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

test('a place that became free is seen within a second, however many wait for it: they do not count once each', async () => {
  const world = await busy();
  const isFree = capacity();
  expect(await isFree(world.parts, 3, world.now)).toBe(false);
  const [attempt] = world.platform.running();
  if (!attempt) throw new Error('nothing runs');
  await world.platform.end(attempt);
  await world.settleDown();
  expect(await isFree(world.parts, 3, world.now + second)).toBe(true);
});

test('while all places are taken a run that waits has one message, whoever asks for it, and runs when one is free', async () => {
  const world = await World.of(...names.map((name) => job(name, { schedule: hourly })));
  const { now } = world;
  await claimAll(
    world.parts,
    [1, 2, 3, 4].map((hours) => newRun('a', seven - hours * hour, 'backfill', now, { id: `${idOf(hours)}.b` })),
    now,
  );
  let full = true;
  Object.assign(world.parts, { hasPlace: async () => !full });
  await world.pass(seven + 50 * minute);
  const waiting = [...world.queue.messages].map(({ text }) => `${readLaunch(text)?.job} ${readLaunch(text)?.run}`);
  expect(world.platform.starts).toEqual([]);
  // Of the backfill only the oldest has its turn.
  expect(waiting.sort()).toEqual([...names.map((name) => `${name} ${idOf(0)}`), `a ${idOf(4)}.b`].sort());
  full = false;
  await world.pass(seven + 51 * minute);
  expect(world.platform.starts).toHaveLength(7);
  expect(await world.leftovers()).toEqual([]);
});

test('a run that must start within some minutes is told as missed by then, though no place is free', async () => {
  const world = await World.of(job('a', { schedule: '{ cron: "0 * * * *", timeZone: UTC, mustStartWithin: 2m }' }));
  Object.assign(world.parts, { hasPlace: async () => false });
  await world.pass(seven + 3 * minute);
  expect(await world.states('a')).toEqual(['missed start-within']);
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
  for (let at = 0; at < 40; at += 1) expect(await isFree(parts, 43, world.now)).toBe(false);
  expect(reads).toBe(1);
  await isFree(parts, 50, world.now + 5 * second);
  expect(reads).toBe(2);
});
