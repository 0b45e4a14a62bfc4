import { expect, test } from 'vitest';
import type { Event } from '../../shared/events.ts';
import { hour, minute, second } from '../../shared/instant.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const daily = (policy = '') => `{ cron: "0 7 * * *", timeZone: UTC${policy && `, ${policy}`} }`;
const of = (world: World, type: Event['type']) => world.events.filter((event) => event.type === type);
const id = { job: 'score', run: '20261120T070000Z', attempt: 1 };

test('a shorter time limit in a later manifest does not end a run under way, a longer one does not keep it', async () => {
  for (const [before, after, over] of [
    ['timeout: 2h', 'timeout: 5m', 2 * hour],
    ['timeout: 5m', 'timeout: 20h', 5 * minute],
  ] as const) {
    const world = await World.inMemory(job('score', { schedule: daily(), run: before, retry: 'attempts: 1' }));
    world.platform.behave = () => 'run';
    world.platform.stop = async () => {};
    await world.pass(seven + second);
    await world.deploy(job('score', { schedule: daily(), run: after, retry: 'attempts: 1' }), 'v2');
    await world.pass(seven + over - second);
    expect(await world.states('score')).toEqual(['running']);
    expect(of(world, 'run-overdue')).toEqual([]);
    await world.pass(seven + over + 6 * minute);
    expect(await world.states('score')).toEqual(['timed-out']);
  }
});

test('a removed job neither ends a run under way nor takes its limit from it', async () => {
  const world = await World.inMemory(job('score', { schedule: daily(), run: 'timeout: 1h' }));
  world.platform.behave = () => 'run';
  world.platform.stop = async () => {};
  await world.pass(seven + second);
  world.jobs.clear();
  await world.pass(seven + 59 * minute);
  expect(await world.states('score')).toEqual(['running']);
  await world.pass(seven + 66 * minute);
  expect(await world.states('score')).toEqual(['timed-out']);
});

test('an overdue attempt is reported once, at that instant, and given up by two looks a minute apart', async () => {
  const world = await World.inMemory(job('score', { schedule: daily(), run: 'timeout: 10m, grace: 0s' }));
  world.platform.behave = () => 'run';
  world.platform.stop = async () => {};
  await world.pass(seven + second);
  const due = seven + 10 * minute + minute;
  await world.pass(due + minute);
  expect(of(world, 'run-overdue')).toHaveLength(1);
  expect((await world.row('score')).notices).toEqual(['overdue']);
  expect(await world.states('score')).toEqual(['running']);
  await world.pass(due + 4 * minute);
  expect(await world.states('score')).toEqual(['timed-out']);
  expect(of(world, 'run-overdue')).toHaveLength(1);
});

test('a shim that is delivering after an outage of storage is not given up, and its result counts', async () => {
  const world = await World.inMemory(job('score', { schedule: daily(), run: 'timeout: 10m' }));
  world.platform.behave = () => 'run';
  world.platform.stop = async () => {};
  Object.assign(world.store.attempts, { delivering: async () => true });
  const stops: string[] = [];
  world.platform.stop = async ({ job: stopped }) => void stops.push(stopped);
  await world.pass(seven + 40 * minute);
  expect(await world.states('score')).toEqual(['running']);
  // A stop would end its container, and with it what it delivers.
  expect(stops).toEqual([]);
  await world.platform.end(id);
  await world.settleDown();
  expect(await world.states('score')).toEqual(['succeeded']);

  const never = await World.inMemory(job('score', { schedule: daily(), run: 'timeout: 10m' }));
  never.platform.behave = () => 'run';
  never.platform.stop = async () => {};
  Object.assign(never.store.attempts, { delivering: async () => true });
  await never.pass(seven + 80 * minute);
  expect(await never.states('score')).toEqual(['timed-out']);
});

test('after an outage of storage that outlasts the time limit the shim has a minute to deliver', async () => {
  const world = await World.inMemory(job('score', { schedule: daily(), run: 'timeout: 10m' }));
  world.platform.behave = () => 'run';
  world.platform.stop = async () => {};
  await world.pass(seven + 5 * minute);
  // Storage is unavailable to all: nothing is looked at, and no heartbeat comes.
  world.now = seven + 35 * minute;
  await world.work.tick(world.now);
  expect(await world.states('score')).toEqual(['running']);
  world.now += 30 * second;
  world.deaf = true;
  await world.platform.end(id);
  await world.pass(world.now + 2 * minute);
  expect(await world.states('score')).toEqual(['succeeded']);
});

test('a result that comes after its attempt was given up is reported and kept as a warning, once', async () => {
  const world = await World.inMemory(job('score', { schedule: daily(), retry: 'attempts: 1' }));
  world.platform.behave = () => 'run';
  await world.pass(seven + second);
  const spec = world.platform.running()[0];
  Object.assign(world.platform, { status: async () => 'unknown' });
  Object.assign(world.store.attempts, { lastHeartbeat: async () => seven });
  await world.pass(seven + 5 * minute);
  expect(await world.states('score')).toEqual(['lost']);
  if (spec) await world.platform.end(spec);
  await world.settleDown();
  await world.work.finish(id, world.now);
  expect(of(world, 'result-late')).toHaveLength(1);
  const run = await world.row('score');
  expect(run.state).toBe('lost');
  expect(run.warnings).toContain('attempt 1 left a result after it was given up: succeeded');
});

test('mustFinishBy is looked at at its instant and reported once, whether the run waits, runs, or retries', async () => {
  for (const behaviour of ['run', 'refuse', 'never'] as const) {
    const world = await World.inMemory(job('score', { schedule: daily('mustFinishBy: "07:20"'), run: 'timeout: 2h' }));
    world.platform.behave = () => behaviour;
    Object.assign(world.platform, { startGraceMs: hour });
    await world.pass(seven + 20 * minute);
    expect([behaviour, of(world, 'run-past-finish-by')]).toEqual([behaviour, []]);
    await world.pass(seven + 21 * minute + second);
    expect([behaviour, of(world, 'run-past-finish-by').length]).toEqual([behaviour, 1]);
    await world.pass(seven + 30 * minute);
    expect([behaviour, of(world, 'run-past-finish-by').length]).toEqual([behaviour, 1]);
  }
});

test('a run whose start is not through by its startBy is late, reported once, and goes on', async () => {
  const world = await World.inMemory(job('score', { schedule: daily('mustStartWithin: 2m') }));
  world.platform.behave = () => 'never';
  Object.assign(world.platform, { startGraceMs: 10 * minute, status: async () => 'running' });
  await world.pass(seven + 6 * minute);
  expect(of(world, 'run-late')).toHaveLength(1);
  expect(await world.states('score')).toEqual(['running']);
});

test('a run in good time makes no notice', async () => {
  const world = await World.inMemory(
    job('score', { schedule: hourly.replace(' }', ', mustStartWithin: 5m, mustFinishBy: "23:00" }') }),
  );
  world.platform.behave = () => 'run';
  await world.pass(seven + 30 * minute);
  for (const spec of world.platform.running()) await world.platform.end(spec);
  await world.pass(seven + 40 * minute);
  expect(world.events.filter(({ type }) => /late|overdue|past/.test(type))).toEqual([]);
});
