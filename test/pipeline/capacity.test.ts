import { describe, expect, test } from 'vitest';
import { backfill } from '../../shared/actions/backfill.ts';
import { hour, type Instant, minute, second } from '../../shared/instant.ts';
import type { Job } from '../../shared/job/job.ts';
import type { Parts } from '../../shared/parts.ts';
import { enter, leave } from '../../shared/pipeline/capacity.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { placeOrder } from '../../shared/run/place.ts';
import { runId } from '../../shared/run/run.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { limited } from '../support/pipeline/limited.ts';
import { World } from '../support/pipeline/parts.ts';

const names = ['a', 'b', 'c'];
const asked = { by: 'dana', why: 'because' };

/** Counts what a host asks of the store. */
function counted(parts: Parts): { parts: Parts; calls: string[] } {
  const calls: string[] = [];
  const watched = <T extends object>(target: T, name: string): T =>
    new Proxy(target, {
      get(object, property) {
        const found = Reflect.get(object, property, object) as unknown;
        if (typeof found !== 'function' || property === 'guess') return found;
        return (...args: unknown[]) => {
          calls.push(`${name}.${String(property)}`);
          return found.apply(object, args) as unknown;
        };
      },
    });
  const store = Object.fromEntries(
    Object.entries(parts.store).map(([name, part]) => [name, typeof part === 'object' ? watched(part, name) : part]),
  );
  return { parts: { ...parts, store: store as unknown as Parts['store'] }, calls };
}

const message = (name: string, at: Instant) => ({ job: name, run: runId(at, 'schedule'), attempt: 1 });

test('eight hosts that start at once take five places of five, and each that ends makes room for one', async () => {
  const jobs = Array.from({ length: 40 }, (_, at) => job(`job-${at}`, { schedule: everyMinute }));
  const world = await limited(5, ...jobs);
  const hosts = Array.from({ length: 8 }, (_, at) => {
    const places = { ...world.store.places };
    return pipeline(world.host({ person: `host-${at}`, limit: 5, store: { ...world.store, places } }));
  });
  let most = 0;
  for (let round = 0; round < 12; round += 1) {
    world.now += 20 * second;
    await hosts[round % 8]?.tick(world.now);
    const taken = await world.queue.take(64, 60);
    await Promise.all(taken.map(({ text, done }, at) => hosts[at % 8]?.launch(text, world.now).then(done)));
    const running = world.platform.running();
    most = Math.max(most, running.length);
    for (const attempt of running.slice(0, 3)) await world.platform.end(attempt);
    const ended = world.platform.nudges.splice(0);
    await Promise.all(ended.map((id, at) => hosts[(at + round) % 8]?.finish(id, world.now)));
  }
  expect(most).toBe(5);
  expect(world.platform.executions.size).toBeGreaterThan(20);
});

test('who waits is woken by an end, within the same instant and without a tick', async () => {
  const world = await limited(2, ...names.map((name) => job(name, { schedule: hourly })));
  await world.pass(seven + 10 * second);
  expect(world.platform.running()).toHaveLength(2);
  const [first] = world.platform.running();
  if (first) await world.platform.end(first);
  await world.settleDown();
  expect(world.platform.starts.map((spec) => spec.job).sort()).toEqual(names);
  for (const attempt of world.platform.running()) await world.platform.end(attempt);
  await world.settleDown();
  expect(await world.leftovers()).toEqual([]);
  expect(await world.store.places.view(10)).toEqual({ taken: [], line: [] });
});

test('critical jobs come first, then older slots, and backfills last in their tier', async () => {
  const slow = job('slow', { schedule: hourly, run: 'overlap: queue' });
  const world = await limited(
    1,
    slow,
    job('plain', { schedule: hourly }),
    { ...job('vital', { schedule: hourly }), tier: 'critical' },
    { ...job('idle', { schedule: hourly }), tier: 'low-risk' },
    job('past', { schedule: '{ cron: "5 3 * * *", timeZone: UTC }' }),
  );
  await world.pass(seven - 20 * minute);
  // All places are taken when they come; the first message of an instant takes what is free.
  await enter(world.parts, message('other', seven), '', seven + hour);
  await world.pass(seven + minute);
  await backfill(world.parts, 'past', [seven - 4 * hour + 5 * minute], [], asked, world.now);
  await world.settleDown();
  expect(world.platform.starts).toEqual([]);
  await leave(world.parts, message('other', seven), world.now);
  const order: string[] = [];
  for (;;) {
    await world.settleDown();
    const [running, ...more] = world.platform.running();
    expect(more).toEqual([]);
    if (!running) break;
    order.push(running.job);
    world.now += second;
    await world.platform.end(running);
  }
  expect(order).toEqual(['vital', 'plain', 'slow', 'past', 'idle']);
});

test('the order is by tier, then backfills last, then slot', () => {
  const one = (tier: Job['tier'], trigger: 'schedule' | 'backfill', slot: Instant) =>
    placeOrder({ tier }, { trigger, slot });
  const sorted = [
    one('critical', 'schedule', seven),
    one('critical', 'schedule', seven + 1),
    one('critical', 'backfill', 0),
    one('standard', 'schedule', 1),
    one('low-risk', 'schedule', 0),
  ];
  expect([...sorted].sort()).toEqual(sorted);
});

test('a run that waits for a place costs no request while those that run go on', async () => {
  const jobs = Array.from({ length: 30 }, (_, at) => job(`job-${at}`, { schedule: hourly }));
  const world = await limited(2, ...jobs);
  await world.pass(seven + 7 * minute);
  expect(world.platform.running()).toHaveLength(2);
  // Heartbeats of the two that run are looked at; nothing else may be asked for.
  const { parts, calls } = counted(world.parts);
  const host = pipeline(parts);
  for (let at = 0; at < 10; at += 1) {
    world.now += minute;
    await host.tick(world.now);
    expect([...world.queue.messages].filter(({ visibleAt }) => visibleAt <= world.now)).toEqual([]);
  }
  const ofWaiting = calls.filter((call) => /^(places|launches\.(put|waiting))/.test(call));
  expect(ofWaiting).toEqual([]);
  expect(calls.filter((call) => call === 'runs.get').length).toBeLessThanOrEqual(2 * 10);
  const late = world.events.filter(({ type }) => type === 'run-late');
  expect(late).toHaveLength(28);
});

test('runs that wait for their job cost no request either, and a backfill of hundreds not one', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute, run: 'overlap: queue, timeout: 2h' }));
  world.platform.behave = () => 'run';
  const slots = Array.from({ length: 300 }, (_, day) => seven - (day + 1) * 24 * hour);
  await backfill(world.parts, 'score', slots, [], asked, world.now);
  await world.pass(seven);
  for (const one of world.jobs.values()) one.job.status = 'decommissioned';
  await world.pass(seven + 5 * minute);
  const { parts, calls } = counted(world.parts);
  const host = pipeline(parts);
  for (let at = 0; at < 10; at += 1) {
    world.now += minute;
    await host.tick(world.now);
  }
  expect(calls.filter((call) => call === 'runs.get').length).toBeLessThanOrEqual(10);
  expect(calls.filter((call) => call === 'launches.put')).toEqual([]);
});

test('a run that must start within some minutes is missed by then, though no place is free', async () => {
  const world = await limited(1, job('a', { schedule: '{ cron: "0 * * * *", timeZone: UTC, mustStartWithin: 2m }' }));
  await enter(world.parts, message('other', seven), '', seven + hour);
  await world.pass(seven + 3 * minute);
  expect(await world.states('a')).toEqual(['missed start-within']);
});

test('a run that waits for its next attempt takes no place', async () => {
  const world = await limited(1, job('a', { schedule: hourly, retry: 'attempts: 3, delay: 10m' }));
  world.platform.behave = () => 'refuse';
  await world.pass(seven + second);
  expect(await world.states('a')).toEqual(['retrying']);
  expect(await world.store.places.view(1)).toEqual({ taken: [], line: [] });
});

test('a wake that got lost is made good while another run waits for its next attempt', async () => {
  const patient = job('patient', {
    schedule: hourly,
    retry: 'attempts: 2, delay: 30m, maxDelay: 30m, backoff: constant',
  });
  const world = await limited(1, patient, job('other', { schedule: hourly }));
  world.platform.behave = ({ job: name }) => (name === 'patient' ? 'fail' : 'succeed');
  await world.pass(seven - 1);
  world.now = seven;
  await world.work.launch(JSON.stringify(message('patient', seven)), seven);
  await world.work.launch(JSON.stringify(message('other', seven)), seven);
  expect((await world.row('other')).reason).toContain('waits for a place');
  for (const id of world.platform.nudges.splice(0)) await world.work.finish(id, seven);
  expect(await world.states('patient')).toEqual(['retrying']);
  // The message that would have woken the other gets lost.
  world.queue.messages.clear();
  await world.pass(seven + 3 * minute);
  expect(await world.states('other')).toEqual(['succeeded']);
});

test('the place of a run whose host died is free again, and a wake that got lost is made good, within two ticks', async () => {
  const world = await limited(1, job('a', { schedule: hourly }), job('b', { schedule: hourly }));
  await world.pass(seven - 20 * minute);
  // Its host died after it took the place, and another has ended the run since.
  await enter(world.parts, message('gone', seven), '', world.now);
  await world.pass(seven + 2 * minute);
  expect(world.platform.running()).toHaveLength(1);
  const [running] = world.platform.running();
  if (running) await world.platform.end(running);
  const { wake } = { wake: world.queue.put.bind(world.queue) };
  // The message that wakes the other is lost.
  world.queue.put = async () => {};
  await world.settleDown();
  world.queue.put = wake;
  expect(world.platform.running()).toEqual([]);
  await world.pass(world.now + 2 * minute);
  expect(world.platform.running()).toHaveLength(1);
});

test('one request shows a burst of launches that there is room', async () => {
  const world = await limited(50, job('a'));
  const { parts, calls } = counted(world.parts);
  const asks = Array.from({ length: 40 }, (_, at) =>
    enter({ ...parts, limit: 50 }, message('a', seven + at), '', seven),
  );
  expect((await Promise.all(asks)).map((entry) => entry.do)).toEqual(Array(40).fill('start'));
  expect(calls.filter((call) => call === 'places.view').length).toBeLessThan(16);
  const { taken } = await world.store.places.view(1);
  expect(new Set(taken.map(({ value }) => value.number)).size).toBe(40);
});

describe('a host that dies before a failed attempt has left its place', () => {
  async function died(...others: Job[]): Promise<World> {
    const world = await limited(1, job('a', { schedule: hourly, retry: 'attempts: 2, delay: 10m' }), ...others);
    await world.pass(seven + 10 * second);
    const { free } = world.store.places;
    world.store.places.free = async () => {
      throw new Error('the host is gone');
    };
    for (const attempt of world.platform.running()) await world.platform.end(attempt, 'failed');
    await expect(world.settleDown()).rejects.toThrow('the host is gone');
    world.store.places.free = free;
    expect(await world.states('a')).toEqual(['retrying']);
    return world;
  }

  test('keeps not its next attempt waiting, also when that comes before the watch', async () => {
    const world = await died();
    const [run] = await world.rows('a');
    world.now = seven + 30 * minute;
    if (run) await world.work.launch(JSON.stringify({ job: 'a', run: run.id, attempt: 2 }), world.now);
    expect(world.platform.running()).toHaveLength(1);
    const { taken } = await world.store.places.view(10);
    expect(taken.map(({ value }) => value.attempt)).toEqual([2]);
  });

  test('keeps no other job waiting until then', async () => {
    const world = await died(job('b', { schedule: '{ cron: "1 7 * * *", timeZone: UTC }' }));
    await world.pass(seven + 5 * minute);
    expect(world.platform.running().map((attempt) => attempt.job)).toEqual(['b']);
  });
});
