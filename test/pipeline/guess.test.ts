import { expect, test } from 'vitest';
import { record } from '../../shared/alerts/see.ts';
import { day, hour, minute } from '../../shared/instant.ts';
import { seeDrift } from '../../shared/pipeline/drift.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { allIncidents } from '../support/alerts/world.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';
import { storeOf } from '../support/storage/account.ts';

/** A host that has claimed the run of seven o'clock, and the store of another. */
async function claimed() {
  const world = await World.of(job('score', { schedule: hourly }));
  await world.pass(seven - 1);
  const run = await world.row('score');
  expect(world.store.runs.guess('score', run.id)?.value).toEqual(run);
  const theirs = storeOf(world.connection);
  const change = async (more: Partial<Run>) => {
    const found = await theirs.runs.get('score', run.id);
    if (!found) throw new Error('the run is missing');
    expect(await theirs.runs.replace({ ...found.value, ...more }, found.etag)).toBeDefined();
  };
  return { world, theirs, change };
}

test('a run that starts and ends on the host that claimed it is never read', async () => {
  const { world } = await claimed();
  let reads = 0;
  const { get } = world.store.runs;
  Object.assign(world.store.runs, {
    get: (name: string, id: string) => {
      reads += 1;
      return get(name, id);
    },
  });
  world.now = seven;
  await world.settleDown();
  expect(reads).toBe(0);
  expect(await world.states('score')).toEqual(['succeeded']);
  expect(await world.leftovers()).toEqual([]);
});

test('a run that another host has written to since it was claimed starts at once, and keeps what was written', async () => {
  const { world, change } = await claimed();
  await change({ notices: ['late'], reason: 'its launch was lost' });
  world.now = seven;
  await world.settleDown();
  expect(await world.row('score')).toMatchObject({ state: 'succeeded', notices: ['late'] });
  expect([...world.platform.executions.values()]).toEqual([1]);
});

test('a run that another host has cancelled since it was claimed does not start, and holds nothing', async () => {
  const { world, change } = await claimed();
  await change({ state: 'cancelled', endedAt: seven - minute });
  world.now = seven;
  await world.settleDown();
  expect(await world.states('score')).toEqual(['cancelled']);
  expect(world.platform.executions.size).toBe(0);
  await world.pass(seven + 3 * minute);
  expect(await world.leftovers()).toEqual([]);
});

test('an end keeps what another host has written while the attempt ran', async () => {
  const { world, change } = await claimed();
  world.now = seven;
  world.deaf = true;
  await world.settleDown();
  await change({ notices: ['overdue'] });
  world.deaf = false;
  await world.settleDown();
  expect(await world.row('score')).toMatchObject({ state: 'succeeded', notices: ['overdue'] });
});

test('an incident that another host has opened is over by the next success here', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  const other = world.host({ store: { ...world.store, jobs: storeOf(world.connection).jobs } });
  await world.pass(seven + minute);
  const about = { job: 'score', cause: 'failed', tier: 'standard', text: 'no' } as const;
  await record(other.store, { ...about, run: 'x', at: seven + minute }, seven + minute);
  await world.pass(seven + hour + minute);
  expect((await allIncidents(world.store, [])).map(({ state }) => state)).toEqual(['resolved']);
});

test('two hosts that end runs of one job at once keep what both have left', async () => {
  const world = await World.of(job('score', { schedule: '{ cron: "0 7 * * *", timeZone: UTC }' }));
  const hosts = [world.parts, world.host({ store: { ...world.store, drift: storeOf(world.connection).drift } })];
  const pass = (host: number, slot: number, value: number) => {
    const run = { ...newRun('score', slot, 'schedule', slot), state: 'succeeded', metrics: { value } } as Run;
    return seeDrift(hosts[host] as typeof world.parts, [run], slot + 1_000, async () => undefined);
  };
  for (let at = 0; at < 12; at += 1) await pass(Math.floor(at / 2) % 2, seven + at * day, at);
  await Promise.all(Array.from({ length: 4 }, (_, at) => pass(at % 2, seven + (12 + at) * day, 12 + at)));
  const [state] = await world.store.drift.states('score');
  expect(state?.points.map(({ value }) => value)).toEqual(Array.from({ length: 16 }, (_, at) => at));
});

test('runs of one job that end at once on one host are compared with the baselines at hand, however many they are', async () => {
  const world = await World.of(job('score', { schedule: '{ cron: "0 7 * * *", timeZone: UTC }' }));
  const metrics = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`m${i}`, i + 1]));
  const pass = (at: number) => {
    const slot = seven + at * day;
    const run = { ...newRun('score', slot, 'schedule', slot), state: 'succeeded', metrics } as Run;
    return seeDrift(world.parts, [run], slot + 1_000, async () => undefined);
  };
  for (let at = 0; at < 90; at += 1) await pass(at);
  const { read } = world.store.drift;
  let reads = 0;
  Object.assign(world.store.drift, {
    read: (name: string) => {
      reads += 1;
      return read(name);
    },
  });
  await Promise.all([90, 91, 92, 93].map(pass));
  expect(reads).toBe(0);
  const states = await world.store.drift.states('score');
  expect(states.map(({ runs }) => runs)).toEqual(Array.from({ length: 30 }, () => 94));
});
