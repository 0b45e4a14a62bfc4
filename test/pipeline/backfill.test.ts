import { expect, test } from 'vitest';
import { backfill } from '../../shared/actions/backfill.ts';
import { cancelBackfill } from '../../shared/actions/cancel-backfill.ts';
import { pause, resume } from '../../shared/actions/pause.ts';
import { hour, minute, second } from '../../shared/instant.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const asked = { by: 'dana', why: 'new model' };
const days = (count: number) => Array.from({ length: count }, (_, day) => seven - (day + 1) * 24 * hour);

/** Ends what runs after as many minutes, until an instant. */
async function work(world: World, until: number, minutes: number): Promise<void> {
  const ends = new Map<string, number>();
  while (world.now < until) {
    for (const spec of world.platform.running()) {
      const key = `${spec.run}#${spec.attempt}`;
      if (!ends.has(key)) ends.set(key, world.now + minutes * minute);
      if ((ends.get(key) ?? 0) <= world.now) await world.platform.end(spec);
    }
    await world.pass(world.now + 10 * second);
  }
}

test('a scheduled run goes before waiting backfills at concurrency 1, and no backfill makes it late', async () => {
  const schedule = hourly.replace(' }', ', mustStartWithin: 2m }');
  const world = await World.inMemory(job('score', { schedule }));
  world.platform.behave = () => 'run';
  // The job takes eight minutes: known from its run before.
  await work(world, seven + 10 * minute, 8);
  await backfill(world.parts, 'score', days(20), [], asked, world.now);
  await work(world, seven + 4 * hour + 10 * minute, 8);
  const scheduled = (await world.rows('score')).filter(
    ({ trigger, slot }) => trigger === 'schedule' && slot <= world.now,
  );
  expect(scheduled.map(({ state }) => state)).toEqual([
    'succeeded',
    'succeeded',
    'succeeded',
    'succeeded',
    'succeeded',
  ]);
  for (const { slot, startedAt } of scheduled) expect((startedAt ?? 0) - slot).toBeLessThan(2 * minute);
  const filled = (await world.rows('score')).filter(
    ({ trigger, state }) => trigger === 'backfill' && state === 'succeeded',
  );
  expect(filled.length).toBeGreaterThan(12);
});

test('a pause holds a backfill, costs no request while it does, and its end lets it go on', async () => {
  const world = await World.inMemory(job('score'));
  world.platform.behave = () => 'run';
  await backfill(world.parts, 'score', days(5), [], asked, world.now);
  await world.settleDown();
  await pause(world.parts, 'score', asked, world.now);
  const [running] = world.platform.running();
  if (running) await world.platform.end(running);
  await world.pass(world.now + 10 * minute);
  expect(world.platform.starts).toHaveLength(1);
  const waiting = (await world.rows('score')).filter(({ state }) => state === 'queued');
  expect(waiting).toHaveLength(4);
  expect(waiting[0]?.reason).toBe('paused by dana: new model');
  let reads = 0;
  const { runs } = world.store;
  const get: typeof runs.get = (...given) => {
    reads += 1;
    return runs.get(...given);
  };
  Object.assign(world.store, { runs: { ...runs, get } });
  await world.pass(world.now + 10 * minute);
  expect(reads).toBe(0);
  await resume(world.parts, 'score', asked, true, world.now);
  for (;;) {
    await world.settleDown();
    const [next] = world.platform.running();
    if (!next) break;
    await world.platform.end(next);
  }
  expect(await world.states('score')).toEqual(Array(5).fill('succeeded'));
  expect(await world.leftovers()).toEqual([]);
});

test('a backfill is cancelled whole: nothing of it starts any more, and what runs is stopped', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, run: 'concurrency: 2' }));
  world.platform.behave = () => 'run';
  await world.pass(seven + second);
  const [scheduled] = world.platform.running();
  await backfill(world.parts, 'score', days(40), [], asked, world.now);
  await world.settleDown();
  if (scheduled) await world.platform.end(scheduled);
  await world.settleDown();
  expect(world.platform.running()).toHaveLength(2);
  const runs = await cancelBackfill(world.parts, 'score', { by: 'lee', why: 'wrong range' }, world.now);
  expect(runs).toHaveLength(40);
  await world.pass(world.now + 3 * minute);
  expect(world.platform.starts).toHaveLength(3);
  const states = (await world.rows('score')).filter(({ trigger }) => trigger === 'backfill').map(({ state }) => state);
  expect(states).toEqual(Array(40).fill('cancelled'));
  expect(await world.leftovers()).toEqual([]);
  expect(await cancelBackfill(world.parts, 'score', asked, world.now)).toEqual([]);
  // Nor is one that is over and not followed up yet cancelled once more.
  const [{ id: run } = { id: '' }] = runs;
  await world.store.active.insert({ job: 'score', run, checkAfter: world.now, since: world.now });
  expect(await cancelBackfill(world.parts, 'score', asked, world.now)).toEqual([]);
  // A new one can be asked for.
  expect(await backfill(world.parts, 'score', days(2), [], asked, world.now)).toHaveLength(2);
  await world.settleDown();
  expect(world.platform.running()).toHaveLength(2);
});
