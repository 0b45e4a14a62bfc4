import { expect, test } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import type { Job } from '../../shared/job/job.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { runId } from '../../shared/run/run.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { Died } from '../support/pipeline/fault.ts';
import { World } from '../support/pipeline/parts.ts';

const id = runId(seven, 'schedule');

/** One job of every minute from seven on; nothing before. */
async function fromSeven(one: Job): Promise<World> {
  const world = await World.inMemory(one);
  world.platform.behave = () => 'succeed';
  await world.pass(seven - second);
  return world;
}

const slots = async (world: World) =>
  (await world.rows('score')).filter(({ slot }) => slot >= seven && slot <= world.now);

test('a previous run whose nudge was lost costs the next slot nothing: its result is looked at first', async () => {
  for (const overlap of ['forbid', 'queue', 'replace']) {
    const world = await fromSeven(job('score', { schedule: everyMinute, run: `overlap: ${overlap}` }));
    world.deaf = true;
    await world.pass(seven + 3 * minute + second);
    expect([overlap, (await slots(world)).map(({ state }) => state)]).toEqual([
      overlap,
      ['succeeded', 'succeeded', 'succeeded', 'running'],
    ]);
  }
});

test('a run that ended without a word is found before a slot is skipped for it', async () => {
  const world = await fromSeven(job('score', { schedule: everyMinute, retry: 'attempts: 1' }));
  world.platform.behave = () => 'run';
  await world.pass(seven + second);
  const [running] = world.platform.running();
  if (running) world.platform.kill(running);
  world.platform.behave = () => 'succeed';
  await world.pass(seven + 2 * minute + second);
  expect((await slots(world)).map(({ state }) => state)).toEqual(['lost', 'skipped', 'succeeded']);
});

test('a host that dies while its start call hangs costs no slot: the executor is asked as soon as its lease is over', async () => {
  const schedule = '{ cron: "* * * * *", timeZone: UTC, mustStartWithin: 2m }';
  const world = await fromSeven(job('score', { schedule }));
  Object.assign(world.platform, { startGraceMs: 10 * minute });
  // The request never arrives, and the host is gone.
  const executor = { ...world.parts.executor, name: 'fake', start: () => Promise.reject(new Died('inside the start')) };
  const dying = pipeline(world.host({ executor: Object.assign(Object.create(world.platform), executor) }));
  world.now = seven;
  const [message] = await world.queue.take(1, 600);
  await expect(dying.launch(message?.text ?? '', seven)).rejects.toThrow('inside the start');
  await world.pass(seven + 5 * minute + second);
  const runs = await slots(world);
  expect(runs[0]?.attempts.map(({ state }) => state)).toEqual(['abandoned', 'succeeded']);
  expect(runs[0]?.attempts[0]?.error).toContain('the host that started it is gone');
  expect(runs[0]?.endedAt).toBeLessThanOrEqual(seven + 2 * minute);
  expect(runs.filter(({ state }) => state === 'skipped').length).toBeLessThanOrEqual(1);
  expect(runs.slice(2).every(({ state }) => state === 'succeeded')).toBe(true);
});

test('a platform that cannot be asked about the run in the way keeps a slot undecided for five minutes, no longer', async () => {
  const world = await fromSeven(job('score', { schedule: everyMinute }));
  world.platform.behave = () => 'never';
  Object.assign(world.platform, { startGraceMs: 20 * minute, status: () => Promise.reject(new Error('no answer')) });
  await world.pass(seven + 12 * minute + second);
  const [first, ...others] = (await slots(world)).map(({ state }) => state);
  expect([first, others.slice(0, 6)]).toEqual(['running', Array(6).fill('skipped')]);
  expect(others.slice(6)).toContain('queued');
  expect(world.queue.poison).toEqual([]);
});

test('storage that is unavailable while the run in the way is looked at skips no slot: the launch comes again', async () => {
  const world = await fromSeven(job('score', { schedule: everyMinute }));
  world.deaf = true;
  await world.pass(seven + 30 * second);
  world.now = seven + minute;
  await world.work.tick(world.now);
  const attempts = { ...world.store.attempts, result: () => Promise.reject(new Error('503')) };
  const host = pipeline(world.host({ store: { ...world.store, attempts } }));
  const [message] = await world.queue.take(1, 30);
  await expect(host.launch(message?.text ?? '', world.now)).rejects.toThrow('503');
  await world.pass(world.now + 40 * second);
  expect((await slots(world)).map(({ state }) => state)).toEqual(['succeeded', 'running']);
});

test('an attempt that was given up, whose host died before it wrote that down, is not read as begun', async () => {
  const world = await fromSeven(job('score', { schedule: hourly, retry: 'attempts: 1' }));
  world.platform.behave = ({ attempt }) => (attempt === 1 ? 'never' : 'succeed');
  await world.pass(seven + second);
  await world.store.attempts.abandon({ job: 'score', run: id, attempt: 1 }, 'a host that died');
  await world.pass(seven + 5 * minute);
  const run = await world.row('score');
  expect(run.attempts.map(({ state }) => state)).toEqual(['abandoned', 'succeeded']);
  expect(run.startedAt).toBeGreaterThan(seven + 20 * second);
});

test('launches that no one takes are reported within five minutes, one message a run, and missed at their startBy', async () => {
  const schedule = '{ cron: "*/2 * * * *", timeZone: UTC, mustStartWithin: 10m }';
  const world = await World.inMemory(job('score', { schedule }), job('other', { schedule: hourly }));
  world.now = seven - minute;
  await world.work.tick(world.now);
  for (const { done } of await world.queue.take(1_000, 1)) await done();
  const began = world.now;
  const reported = new Map<string, number>();
  for (let at = 1; at <= 60; at += 1) {
    world.now = began + at * minute;
    await world.work.tick(world.now);
    for (const event of world.events) {
      if (event.type === 'run-late' && !reported.has(event.run.id))
        reported.set(event.run.id, world.now - event.run.slot);
    }
  }
  const texts = [...world.queue.messages].map(({ text }) => `${JSON.parse(text).job} ${JSON.parse(text).run}`);
  expect(new Set(texts).size).toBe(texts.length);
  const runs = (await world.rows('score')).filter(({ slot }) => slot > seven && slot < world.now - 11 * minute);
  expect(runs.length).toBeGreaterThan(20);
  expect(new Set(runs.map(({ state, reasonCode }) => `${state} ${reasonCode}`))).toEqual(
    new Set(['missed start-within']),
  );
  for (const { id: run } of runs) expect(reported.get(run)).toBeLessThanOrEqual(5 * minute);
  const late = world.events.filter(({ type }) => type === 'run-late');
  expect(new Set(late.map((event) => 'run' in event && `${event.run.job} ${event.run.id}`)).size).toBe(late.length);
});

test('a message whose host has died is made good by the watch before it comes back after ten minutes', async () => {
  const world = await fromSeven(job('score', { schedule: hourly }));
  world.now = seven;
  // Taken by a host that dies; as the listener of Azure Functions hides it.
  await world.queue.take(1, 600);
  await world.pass(seven + 3 * minute);
  expect(await world.states('score')).toEqual(['succeeded']);
});

test('after an outage the oldest waiting slot goes first, and a fresh one does not overtake it', async () => {
  const world = await fromSeven(
    job('score', { schedule: everyMinute.replace(' }', ', catchUp: all }'), run: 'overlap: queue' }),
  );
  world.platform.behave = () => 'run';
  world.now = seven + 3 * minute + 10 * second;
  await world.work.tick(world.now);
  await world.settleDown();
  await world.pass(seven + 6 * minute + second);
  for (let left = 8; left > 0; left -= 1) {
    const [running] = world.platform.running();
    if (running) await world.platform.end(running);
    // A fresh slot comes at the very instant at which the job becomes free.
    await world.pass(Math.ceil((world.now + 1) / minute) * minute);
  }
  const order = world.platform.starts.map(({ scheduledFor }) => scheduledFor);
  expect(order).toEqual([...order].sort());
  expect(order.length).toBeGreaterThan(7);
});

test('an older slot never replaces a newer one', async () => {
  const world = await fromSeven(job('score', { schedule: everyMinute, run: 'overlap: replace' }));
  world.platform.behave = () => 'run';
  world.now = seven + minute;
  await world.work.tick(world.now);
  // Their messages come in the wrong order.
  const [older, newer] = await world.queue.take(2, 600);
  await world.work.launch(newer?.text ?? '', world.now);
  await world.work.launch(older?.text ?? '', world.now);
  expect(world.platform.running().map(({ run }) => run)).toEqual([runId(seven + minute, 'schedule')]);
  const [run] = await slots(world);
  expect(run).toMatchObject({
    state: 'skipped',
    reason: `${runId(seven + minute, 'schedule')}, a newer slot of this job, is under way`,
  });
});
