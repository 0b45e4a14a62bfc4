import { expect, test } from 'vitest';
import { backfill, planBackfill } from '../../shared/actions/backfill.ts';
import { runNow } from '../../shared/actions/run-now.ts';
import { hour, minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { runId } from '../../shared/run/run.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { Died, mortal } from '../support/pipeline/fault.ts';
import { World } from '../support/pipeline/parts.ts';
import { storeOf } from '../support/storage/account.ts';

const asked = { by: 'dana', why: 'because' };

/** Ends what runs, one after the other, a second apart, until nothing runs; the most that ran at once. */
async function drain(world: World): Promise<number> {
  let most = 0;
  for (;;) {
    await world.settleDown();
    const running = world.platform.running();
    most = Math.max(most, running.length);
    const [first] = running;
    if (!first) return most;
    world.now += second;
    await world.platform.end(first);
  }
}

test('forbid: a slot that comes while a run is under way is skipped, and says whose fault it is', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute }));
  world.platform.behave = () => 'run';
  await world.pass(world.now + 3 * minute);
  expect(await world.states('score')).toEqual(['running', 'skipped overlap', 'skipped overlap', 'queued']);
  expect((await world.rows('score'))[1]?.reason).toContain('20261120T063100Z');
});

test('queue: slots wait for their turn and run one after the other at once, oldest first, without a tick between', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute, run: 'overlap: queue' }));
  world.platform.behave = () => 'run';
  await world.pass(world.now + 4 * minute + 10 * second);
  expect(world.platform.running()).toHaveLength(1);
  expect(await drain(world)).toBe(1);
  const runs = (await world.rows('score')).slice(0, 4);
  expect(runs.map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded']);
  const starts = runs.map(({ startedAt }) => startedAt ?? 0);
  expect(starts).toEqual([...starts].sort());
  expect((starts[3] ?? 0) - (starts[1] ?? 0)).toBe(2 * second);
});

test('replace: the run under way is stopped, and the newer one starts at once', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute, run: 'overlap: replace' }));
  world.platform.behave = () => 'run';
  await world.pass(world.now + 3 * minute + 10 * second);
  const states = await world.states('score');
  expect(states).toEqual(['cancelled', 'cancelled', 'running', 'queued']);
  expect((await world.rows('score'))[0]?.reason).toContain('replaced by 20261120T063200Z');
});

test('replace: a run that is slow to stop is asked once, however often the newer one looks', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, run: 'overlap: replace, timeout: 2h' }));
  world.platform.behave = () => 'run';
  world.platform.stop = async () => {};
  await world.pass(seven + hour + 10 * minute);
  const kinds = [];
  for await (const { kind } of world.store.events.list('score')) kinds.push(kind);
  expect(kinds.filter((kind) => kind === 'cancelled')).toHaveLength(1);
});

test('allow: as many run at once as the job says, and the others wait', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute, run: 'overlap: allow, concurrency: 3' }));
  world.platform.behave = () => 'run';
  await world.pass(world.now + 6 * minute + 10 * second);
  expect(world.platform.running()).toHaveLength(3);
  expect(await drain(world)).toBe(3);
  expect((await world.rows('score')).slice(0, 6).every(({ state }) => state === 'succeeded')).toBe(true);
});

test('a backfill of 30 slots with three at a time runs each once, never more than three, and needs no tick', async () => {
  const world = await World.inMemory(job('score', { run: 'concurrency: 3' }));
  world.platform.behave = () => 'run';
  const slots = Array.from({ length: 30 }, (_, day) => seven - (day + 1) * 24 * hour);
  const runs = await backfill(world.parts, 'score', slots, ['--full'], asked, world.now);
  expect(runs).toHaveLength(30);
  expect(await drain(world)).toBe(3);
  expect(world.platform.starts).toHaveLength(30);
  expect(new Set(world.platform.starts.map(({ scheduledFor }) => scheduledFor)).size).toBe(30);
  expect(await world.leftovers()).toEqual([]);
  expect(await planBackfill(world.parts, 'score', slots)).toEqual([]);
});

test('a backfill whose asker dies anywhere runs each slot once when it is asked for again', async () => {
  const slots = Array.from({ length: 3 }, (_, day) => seven - (day + 1) * 24 * hour);
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; ; at++) {
      const world = await World.inMemory(job('score', { run: 'concurrency: 2' }));
      const { parts, calls } = mortal(world.parts, at, when);
      const first = await backfill(parts, 'score', slots, [], asked, world.now).catch((error) => error);
      const again = await planBackfill(world.parts, 'score', slots);
      await backfill(world.parts, 'score', again, [], asked, world.now);
      await world.pass(world.now + 5 * minute);
      expect([at, when, await world.states('score')]).toEqual([at, when, Array(3).fill('succeeded')]);
      expect((await world.leftovers()).filter((left) => !left.startsWith('active'))).toEqual([]);
      expect(world.platform.executions.size).toBe(3);
      if (!(first instanceof Died)) break;
      expect(calls()).toBeGreaterThanOrEqual(at);
    }
  }
});

test('a backfill that failed for a slot can be asked for again, and one that succeeded is left out', async () => {
  const world = await World.inMemory(job('score'));
  const slots = [seven - 48 * hour, seven - 24 * hour];
  world.platform.behave = ({ scheduledFor }) => (scheduledFor.includes('-19T') ? 'fail' : 'succeed');
  await backfill(world.parts, 'score', slots, [], asked, world.now);
  await world.settleDown();
  expect(await planBackfill(world.parts, 'score', slots)).toEqual([seven - 24 * hour]);
  const [run] = await backfill(world.parts, 'score', [seven - 24 * hour], [], asked, world.now);
  expect(run?.id).toBe(runId(seven - 24 * hour, 'backfill', '2'));
});

test('a scheduled run goes before the rest of a backfill, and is not skipped for it', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.platform.behave = () => 'run';
  const slots = [1, 2, 3].map((day) => seven - day * 24 * hour);
  await backfill(world.parts, 'score', slots, [], asked, world.now);
  await world.pass(seven + 30 * second);
  await drain(world);
  const order = world.platform.starts.map(({ run }) => run);
  expect(order.indexOf('20261120T070000Z')).toBe(1);
  expect(order).toHaveLength(4);
});

test('a claim that died before it was made does not keep the others waiting', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, run: 'overlap: queue' }));
  world.platform.behave = () => 'run';
  const ghost = { job: 'score', run: runId(seven - 20 * minute, 'manual', 'dead'), since: world.now };
  await world.store.active.insert({ ...ghost, checkAfter: world.now + hour });
  await runNow(world.parts, 'score', [], asked, world.now);
  await world.pass(world.now + second);
  await runNow(world.parts, 'score', [], asked, world.now);
  await drain(world);
  expect(await world.states('score')).toEqual(['succeeded', 'succeeded']);
});

test('a launch that dies once it has taken the job, and whose message is lost, is taken up again by the watch', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  world.now = seven;
  const [received] = await world.queue.take(1, 60);
  const { replace } = world.store.jobs;
  const jobs = {
    ...world.store.jobs,
    replace: async (...args: Parameters<typeof replace>) => {
      await replace(...args);
      throw new Died('after it took the job');
    },
  };
  const dying = pipeline(world.host({ store: { ...world.store, jobs } }));
  await expect(dying.launch(received?.text ?? '', seven)).rejects.toThrow('after it took the job');
  await received?.done();
  await world.pass(seven + 5 * minute);
  expect(await world.states('score')).toEqual(['succeeded']);
  expect(await world.leftovers()).toEqual([]);
});

test('a launch that sleeps while its run is started and ended elsewhere, and then dies, leaves nothing held', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  world.now = seven;
  const [received] = await world.queue.take(1, 60);
  const text = received?.text ?? '';
  const { runs } = world.store;
  let elsewhere = async () => {
    await world.work.launch(text, seven);
    await world.settleDown();
  };
  const sleeping = {
    ...runs,
    get: async (...args: Parameters<typeof runs.get>) => {
      const found = await runs.get(...args);
      await elsewhere();
      elsewhere = async () => {};
      return found;
    },
    guess: () => undefined,
    replace: () => Promise.reject(new Died('before it starts')),
  };
  const dying = pipeline(world.host({ store: { ...world.store, runs: sleeping } }));
  await dying.launch(text, seven).catch(() => {});
  expect(await world.states('score')).toEqual(['succeeded']);
  expect(await world.leftovers()).toEqual([]);
});

test('a second message for a run that has ended elsewhere takes its job by no memory of it', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  world.now = seven;
  const [received] = await world.queue.take(1, 60);
  const { runs, jobs, active } = storeOf(world.connection);
  const other = pipeline(world.host({ store: { ...world.store, runs, jobs, active } }));
  await other.launch(received?.text ?? '', seven);
  await world.settleDown(other);
  expect(await world.states('score')).toEqual(['succeeded']);
  const forgetful = { ...world.store.runs, replace: () => Promise.reject(new Died('before it starts')) };
  const dying = pipeline(world.host({ store: { ...world.store, runs: forgetful } }));
  await dying.launch(received?.text ?? '', seven).catch(() => {});
  expect(await world.leftovers()).toEqual([]);
});

test('a run that is over and still holds its job, because its host died, costs the next slot nothing', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.platform.behave = ({ run }) => (run.includes('T07') ? 'run' : 'succeed');
  await world.pass(seven + 10 * second);
  const [attempt] = world.platform.running();
  if (attempt) await world.platform.end(attempt);
  const id = world.platform.nudges.splice(0)[0];
  const jobs = { ...world.store.jobs, amend: () => Promise.reject(new Died('amend')) };
  const dying = pipeline(world.host({ store: { ...world.store, jobs } }));
  if (id) await dying.finish(id, world.now);
  expect(world.events).toContainEqual(expect.objectContaining({ type: 'trouble' }));
  // No one watches for an hour.
  world.now = seven + hour - 30 * second;
  await world.store.active.remove('score', '20261120T070000Z');
  await world.pass(seven + hour + 30 * second);
  expect((await world.states('score')).slice(0, 2)).toEqual(['succeeded', 'succeeded']);
});
