import { expect, test } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { Died, mortal, type When } from '../support/pipeline/fault.ts';
import { World } from '../support/pipeline/parts.ts';

const id = '20261120T070000Z';
const text = JSON.stringify({ job: 'score', run: id, attempt: 1 });

/** Does something with a host that dies at its first, second… call, until it no longer dies; then others go on. */
async function everyDeath(
  when: When,
  doing: (world: World, work: ReturnType<typeof pipeline>) => Promise<unknown>,
  prepare: (world: World) => Promise<void>,
): Promise<number> {
  for (let at = 1; ; at++) {
    const world = await World.inMemory(job('score', { schedule: hourly }));
    await prepare(world);
    const { parts } = mortal(world.parts, at, when);
    const died = await doing(world, pipeline(parts)).then(
      () => false,
      (error) => error instanceof Died || Promise.reject(error),
    );
    const dead = died || parts === world.parts;
    await world.pass(seven + 5 * minute);
    const runs = await world.rows('score');
    const facts = [runs.map(({ state }) => state), await world.leftovers()];
    expect([when, at, ...facts]).toEqual([when, at, ['succeeded'], []]);
    const counted = runs[0]?.attempts.filter(({ state }) => state !== 'abandoned') ?? [];
    expect(counted).toHaveLength(1);
    if (!dead) return at - 1;
  }
}

test.each<When>([
  'before',
  'after',
])('a tick that dies at any call, %s it arrived, is simply done again', async (when) => {
  const deaths = await everyDeath(
    when,
    (world, work) => work.tick(world.now),
    async (world) => {
      world.now = seven - 30 * second;
    },
  );
  expect(deaths).toBeGreaterThanOrEqual(7);
});

test.each<When>([
  'before',
  'after',
])('a launch that dies at any call, %s it arrived, is repaired by the watch within five minutes', async (when) => {
  const deaths = await everyDeath(
    when,
    (world, work) => work.launch(text, world.now),
    async (world) => {
      world.now = seven - 30 * second;
      await world.work.tick(world.now);
      world.now = seven;
      // The message is lost with the host: only the watch is left.
      for (const { done } of await world.queue.take(32, 60)) await done();
    },
  );
  expect(deaths).toBeGreaterThanOrEqual(6);
});

test.each<When>([
  'before',
  'after',
])('a finish that dies at any call, %s it arrived, is repaired by the watch within five minutes', async (when) => {
  const deaths = await everyDeath(
    when,
    (world, work) => work.finish({ job: 'score', run: id, attempt: 1 }, world.now),
    async (world) => {
      world.deaf = true;
      await world.pass(seven + 10 * second);
      world.deaf = false;
      world.platform.nudges.splice(0);
    },
  );
  expect(deaths).toBeGreaterThanOrEqual(5);
});

test('storage that is unavailable for a minute costs no slot, and none runs twice', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute, run: 'overlap: allow' }));
  const from = world.now + minute;
  await world.pass(seven);
  for (; world.now < seven + minute; world.now += 15 * second) {
    await expect(pipeline(mortal(world.parts, 1, 'before').parts).tick(world.now)).rejects.toThrow(Died);
  }
  await world.pass(seven + 5 * minute);
  const rows = await world.rows('score');
  expect(rows.map(({ slot }) => slot)).toEqual(rows.map((_, index) => from + index * minute));
  expect(rows.slice(0, -1).every(({ state }) => state === 'succeeded')).toBe(true);
  expect(Math.max(...world.platform.executions.values())).toBe(1);
});
