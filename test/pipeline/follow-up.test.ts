import { expect, test } from 'vitest';
import { cancel } from '../../shared/actions/cancel.ts';
import { hour, minute } from '../../shared/instant.ts';
import type { Parts } from '../../shared/parts.ts';
import { recordMissed } from '../../shared/pipeline/missed.ts';
import { pipeline } from '../../shared/pipeline.ts';
import type { JobRow } from '../../shared/run/job-row.ts';
import { newRun, runId } from '../../shared/run/run.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const person = { by: 'sam', why: 'wrong day' };

async function rowOf(world: World, name = 'score'): Promise<JobRow> {
  const found = await world.store.jobs.get(name);
  if (!found) throw new Error(`${name} has no row`);
  return found.value;
}

function types(world: World, type: string): number {
  return world.events.filter((event) => event.type === type).length;
}

/** A host of the same installation in which one part fails as long as `broken.now` is set. */
function withBrokenJobs(world: World, broken: { now: boolean }): Parts {
  const { jobs } = world.store;
  const amend: typeof jobs.amend = (name, change) => {
    if (broken.now) return Promise.reject(new Error('the table of jobs is unavailable'));
    return jobs.amend(name, change);
  };
  return world.host({ store: { ...world.store, jobs: { ...jobs, amend } } });
}

test('slots missed in an outage reach the job: it does not look well, and nothing is left to do', async () => {
  const world = await World.inMemory(job('score', { schedule: '{ cron: "0 * * * *", timeZone: UTC, catchUp: none }' }));
  await world.pass(seven + minute);
  expect(await rowOf(world)).toMatchObject({ streak: 1, last: { state: 'succeeded' } });
  world.now = seven + 3 * hour + 30 * minute;
  await world.work.tick(world.now);
  expect(await rowOf(world)).toMatchObject({
    streak: -3,
    last: { id: runId(seven + 3 * hour, 'schedule'), state: 'missed', slot: seven + 3 * hour },
  });
  expect(types(world, 'run-not-started')).toBe(3);
  expect(await world.leftovers()).toEqual([]);
});

test('a run skipped for another is the last one, and ends a row of successes', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute, run: 'timeout: 1h' }));
  world.platform.behave = () => 'succeed';
  await world.pass(seven + 30_000);
  expect((await rowOf(world)).streak).toBeGreaterThan(1);
  world.platform.behave = () => 'run';
  await world.pass(seven + 3 * minute + 30_000);
  expect(await rowOf(world)).toMatchObject({ streak: 0, last: { state: 'skipped' } });
});

test('what a person cancelled before it began reaches the job, and says nothing of it', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  await world.pass(seven + minute);
  world.now = seven + hour - 30_000;
  await world.work.tick(world.now);
  await cancel(world.parts, 'score', runId(seven + hour, 'schedule'), person, seven + hour - 20_000);
  expect(await rowOf(world)).toMatchObject({ streak: 1, last: { state: 'cancelled' } });
});

test('a host that dies between the missed rows and what follows from them leaves that to the watch', async () => {
  const world = await World.inMemory(job('score', { schedule: '{ cron: "0 * * * *", timeZone: UTC, catchUp: none }' }));
  const { runs } = world.store;
  const dying = world.host({
    store: {
      ...world.store,
      runs: {
        ...runs,
        insertAll: async (some) => {
          await runs.insertAll(some);
          throw new Error('died');
        },
      },
    },
  });
  world.now = seven + 2 * hour + 30 * minute;
  await pipeline(dying)
    .tick(world.now)
    .catch(() => {});
  expect((await rowOf(world)).last).toBeNull();
  await world.pass(world.now + 10 * minute);
  expect(await rowOf(world)).toMatchObject({ last: { state: 'missed', slot: seven + 2 * hour } });
  expect(await world.leftovers()).toEqual([]);
});

test('a step that fails stops no other, is reported, and is done later; the others are not done again', async () => {
  const world = await World.inMemory(job('score', { schedule: '{ cron: "0 * * * *", timeZone: UTC, catchUp: none }' }));
  const broken = { now: true };
  const work = pipeline(withBrokenJobs(world, broken));
  world.now = seven + 10 * minute;
  await work.tick(world.now);
  expect(types(world, 'run-not-started')).toBe(1);
  expect(world.events).toContainEqual(
    expect.objectContaining({ type: 'trouble', doing: `following up score.${runId(seven, 'schedule')} (release)` }),
  );
  expect(await world.leftovers()).toEqual([`active score.${runId(seven, 'schedule')}`]);

  world.now += 30 * minute;
  await work.tick(world.now);
  expect(await world.leftovers()).toHaveLength(1);
  broken.now = false;
  world.now += hour;
  await work.tick(world.now);
  expect((await rowOf(world)).last).toMatchObject({ state: 'missed' });
  // The slot of eight was missed meanwhile.
  expect(types(world, 'run-not-started')).toBe(2);
});

test('following up twice counts a run once', async () => {
  const world = await World.inMemory(job('score', { schedule: '{ cron: "0 * * * *", timeZone: UTC, catchUp: none }' }));
  world.now = seven + hour + 10 * minute;
  await world.work.tick(world.now);
  const { streak } = await rowOf(world);
  expect(streak).toBe(-2);
  for (const slot of [seven, seven + hour]) {
    const entry = { job: 'score', run: runId(slot, 'schedule'), checkAfter: world.now, since: world.now };
    await world.store.active.insert(entry);
  }
  world.now += minute;
  await world.work.tick(world.now);
  expect((await rowOf(world)).streak).toBe(-2);
  expect(await world.leftovers()).toEqual([]);
});

test('every final run is in the index of recent runs: one that ran, one that was missed, one that was skipped', async () => {
  const world = await World.inMemory(
    job('score', { schedule: hourly }),
    job('other', { schedule: '{ cron: "0 * * * *", timeZone: UTC, catchUp: none }' }),
  );
  await world.pass(seven + minute);
  world.now = seven + hour + 30 * minute;
  await world.work.tick(world.now);
  const found = [];
  for await (const { job, state } of world.store.recent.list()) found.push(`${job} ${state}`);
  expect(found.sort()).toEqual(['other missed', 'other succeeded', 'score succeeded']);
});

test('what a run has left and took is in the history of metrics, and an unreadable result is no obstacle', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }), job('garbage', { schedule: hourly }));
  world.platform.behave = ({ job }) => (job === 'garbage' ? 'garbage' : 'succeed');
  await world.pass(seven + 5 * minute);
  expect((await world.store.metrics.names('score')).sort()).toEqual([
    'run:cpu_ms',
    'run:duration_ms',
    'run:log_bytes',
    'run:peak_memory_bytes',
  ]);
  expect(await world.store.metrics.list('garbage', 'run:duration_ms', 1)).toMatchObject([{ state: 'failed' }]);
  expect(await world.leftovers()).toEqual([]);
});

test('metrics that could not be written are written by the watch, from the result', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  const { metrics } = world.store;
  let away = true;
  const append: typeof metrics.append = (...given) =>
    away ? Promise.reject(new Error('the table of metrics is unavailable')) : metrics.append(...given);
  const work = pipeline(world.host({ store: { ...world.store, metrics: { ...metrics, append } } }));
  world.now = seven - 30_000;
  await work.tick(world.now);
  world.now = seven;
  await world.settleDown(work);
  expect(await rowOf(world)).toMatchObject({ running: [], streak: 1 });
  expect(await world.leftovers()).toHaveLength(1);
  away = false;
  world.now += 10 * minute;
  await work.tick(world.now);
  expect(await world.store.metrics.list('score', 'run:cpu_ms', 1)).toMatchObject([{ value: 1, state: 'succeeded' }]);
  expect(await world.leftovers()).toEqual([]);
  expect(types(world, 'run-finished')).toBe(1);
});

test('a tick that is done again reports no missed slot again, and leaves alone what another tick has not followed up', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  const runs = [0, 1].map((at) =>
    newRun('score', seven + at * hour, 'schedule', seven, { state: 'missed', reasonCode: 'outage', endedAt: seven }),
  );
  await recordMissed(world.parts, runs.slice(0, 1), seven + 2 * hour);
  // This one died after the row.
  await world.store.active.insert({ job: 'score', run: runs[1]?.id ?? '', checkAfter: seven, since: seven });
  await world.store.runs.insertAll(runs.slice(1));
  const again = runs.map((run) => ({ ...run, createdAt: seven + 1, endedAt: seven + 1 }));
  await recordMissed(world.parts, again, seven + 2 * hour + minute);
  expect(types(world, 'run-not-started')).toBe(1);
  expect(await world.leftovers()).toEqual([`active score.${runs[1]?.id}`]);
  world.now = seven + 3 * hour - minute;
  await world.work.tick(world.now);
  expect(await rowOf(world)).toMatchObject({ last: { slot: seven + hour, state: 'missed' } });
});
