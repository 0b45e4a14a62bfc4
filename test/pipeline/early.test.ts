import { expect, test } from 'vitest';
import { minute } from '../../shared/instant.ts';
import { everyMinute, job } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

/** The timer of Azure Functions fires up to 6 ms before or after the minute (measured in host 4.1037). */
test.each([
  -6, -1, 0, 1, 6,
])('ticks that come %i ms beside the minute claim every slot once, each before its instant', async (offset) => {
  const world = await World.inMemory(job('score', { schedule: everyMinute }));
  const begin = world.now;
  for (let at = 1; at <= 5; at++) {
    world.now = begin + at * minute + offset;
    await world.work.tick(world.now);
  }
  const claimed = world.events.flatMap((event) => (event.type === 'run-claimed' ? [event.run] : []));
  const slots = claimed.map(({ slot }) => slot);
  expect(new Set(slots).size).toBe(slots.length);
  const expected = [1, 2, 3, 4, 5].map((number) => begin + number * minute);
  expect(slots).toEqual(expect.arrayContaining(expected));
  for (const run of claimed) expect(run.slot - run.createdAt).toBeGreaterThan(-1);
  expect(world.events.filter(({ type }) => type === 'run-not-started')).toEqual([]);
});
