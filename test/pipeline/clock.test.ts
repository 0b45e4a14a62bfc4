import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { confirmClock } from '../../shared/actions/clock.ts';
import { day, hour, minute } from '../../shared/instant.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { hourlyAll, slots } from '../support/pipeline/claims.ts';
import { World } from '../support/pipeline/parts.ts';

describe('a clock that is wrong', () => {
  test.each([day, 365 * day, hour, -day])('by %i ms claims nothing and ends nothing', async (off) => {
    const world = await World.inMemory(job('score', { schedule: everyMinute }));
    world.platform.behave = () => 'run';
    await world.pass(seven);
    const before = await world.states('score');
    await expect(world.work.tick(world.now + off)).rejects.toThrow(/this host's clock reads .* and the store's/);
    await expect(world.work.watch(world.now + off)).rejects.toThrow('nothing is claimed or watched');
    expect(await world.states('score')).toEqual(before);
    await world.pass(seven + 2 * minute);
    expect(await world.rows('score')).toHaveLength(before.length + 2);
  });

  test('a real outage of a day is one, as the store confirms', async () => {
    const world = await World.inMemory(job('score', { schedule: hourlyAll }));
    world.now = seven + day;
    await world.work.tick(world.now);
    expect(await world.rows('score')).toHaveLength(25);
  });

  test.each([
    ['answers', false],
    ['refuses', true],
  ])('a store that %s late is no wrong clock', async (_, refuses) => {
    const world = await World.inMemory(job('score', { schedule: hourly }));
    await world.pass(seven);
    let passed = 0;
    onTestFinished(() => void vi.restoreAllMocks());
    vi.spyOn(performance, 'now').mockImplementation(() => passed);
    const { store } = world.parts;
    const begins = seven + hour;
    const progress = store.marks.progress;
    store.marks.progress = async () => {
      passed += 2 * minute;
      if (refuses) throw new Error('busy');
      return progress();
    };
    store.time = async () => begins + passed;
    if (refuses) await expect(world.work.tick(begins)).rejects.toThrow('busy');
    else await world.work.tick(begins);
    expect(world.events.filter((event) => event.type === 'trouble')).toEqual([]);
  });

  test('a time that a person has confirmed counts', async () => {
    const world = await World.inMemory(job('score', { schedule: hourly }));
    await expect(world.work.tick(world.now + day)).rejects.toThrow('lamp clock --confirm');
    await confirmClock(world.parts, { by: 'dana', why: 'the store is wrong' }, world.now + day);
    await world.work.tick(world.now + day);
    expect(await world.store.marks.get('heartbeat')).toBe(world.now + day);
  });

  test('a cursor in the future is reported, set back, and no slot is lost to it', async () => {
    const world = await World.inMemory(job('score', { schedule: hourly }));
    await world.store.marks.advance('cursor', world.now + 365 * day, 'a wrong host');
    await world.store.marks.advance('heartbeat', world.now + 365 * day, 'a wrong host');
    await world.pass(seven + 2 * minute);
    expect(await slots(world, 'score')).toEqual(['07:00']);
    const [trouble] = world.events.filter((event) => event.type === 'trouble');
    expect(String((trouble as { error: Error }).error)).toContain('in the future: set back to');
  });

  test.each([-6, 6])('a tick %i ms beside its minute decides nothing', async (ms) => {
    const late = '{ cron: "* * * * *", timeZone: UTC, catchUp: none }';
    const world = await World.inMemory(job('score', { schedule: late }));
    await world.pass(seven - minute);
    for (let tick = 0; tick < 20; tick++) {
      world.now = seven + tick * minute + (tick % 2 ? ms : -ms);
      if (tick % 4 === 3) continue; // One tick is missing now and then.
      await world.work.tick(world.now);
      const ahead = (await world.rows('score')).at(-1)?.slot;
      expect(ahead).toBe(seven + (tick + 1) * minute);
    }
    expect(new Set(await world.states('score'))).toEqual(new Set(['succeeded', 'queued']));
  });
});
