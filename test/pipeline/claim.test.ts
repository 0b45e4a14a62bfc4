import { describe, expect, test } from 'vitest';
import { hour, minute } from '../../shared/instant.ts';
import type { Deployed } from '../../shared/job/catalog.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { deployed, everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { half, hourlyAll, poisoned, slots, troubles } from '../support/pipeline/claims.ts';
import { World } from '../support/pipeline/parts.ts';

describe('one job that cannot be claimed', () => {
  test.each([
    'runs',
    'jobs',
    'active',
  ] as const)('stops no other when its row in %s cannot be written, and is claimed from where it was once it can', async (part) => {
    const names = Array.from({ length: 40 }, (_, number) => `job-${number}`);
    const world = await World.inMemory(...names.map((name) => job(name, { schedule: hourlyAll })));
    world.now = seven - minute;
    const sick = pipeline(poisoned(world, part, 'job-7'));
    for (; world.now <= seven + 5 * minute; world.now += minute) await sick.tick(world.now);
    for (const name of names)
      expect([name, await slots(world, name)]).toEqual([name, name === 'job-7' ? [] : ['07:00']]);
    expect(troubles(world).filter((doing) => doing.includes('job-7')).length).toBeGreaterThan(4);
    expect((await world.store.marks.progress()).behind.has('job-7')).toBe(true);

    await world.work.tick(world.now);
    expect(await slots(world, 'job-7')).toEqual(['07:00']);
    expect((await world.store.marks.progress()).behind.size).toBe(0);
  });

  test('does not keep what died from being repaired', async () => {
    const world = await World.inMemory(job('sick', { schedule: everyMinute }), job('well', { schedule: hourly }));
    world.platform.behave = () => 'vanish';
    world.now = seven - 2 * minute;
    const parts = poisoned(world, 'jobs', 'sick');
    const sick = pipeline(parts);
    for (; world.now <= seven + 10 * minute; world.now += minute) {
      await sick.tick(world.now);
      await world.settleDown();
    }
    expect((await world.rows('well'))[0]?.state).toBe('lost');
  });

  test('an outage of the store is reported as one, and no job is left behind by it', async () => {
    const jobs = Array.from({ length: 40 }, (_, number) => job(`job-${number}`, { schedule: hourly }));
    const world = await World.inMemory(...jobs);
    world.now = seven;
    const away = () => Promise.reject(new Error('storage is unavailable'));
    const store = { ...world.store, runs: { ...world.store.runs, insertAll: away } };
    await expect(pipeline(world.host({ store })).tick(world.now)).rejects.toThrow('storage is unavailable');
    expect((await world.store.marks.progress()).behind.size).toBe(0);
    await world.work.tick(world.now + minute);
    expect(await slots(world, 'job-39')).toEqual(['07:00']);
  });

  test('a past schedule that this version cannot read costs its own slots, not those of the present one', async () => {
    const world = await World.inMemory(job('score', { schedule: hourlyAll }));
    await world.store.jobs.amend('score', (row) => ({
      ...row,
      pastSchedules: [{ since: row.since - hour, schedules: [{ ...row.schedules[0], cron: '61 * * * *' } as never] }],
      schedulesSince: seven - 10 * minute,
    }));
    world.now = seven + hour + 5 * minute;
    await world.work.tick(world.now);
    expect(await slots(world, 'score')).toEqual(['07:00', '08:00']);
    expect(troubles(world)).toContain('reading a past schedule of score');
  });

  test('a folder that keeps changing keeps neither the service from starting nor its old slots from being claimed', async () => {
    const world = await World.inMemory(job('torn', { schedule: hourly }), job('good', { schedule: hourly }));
    const torn: Deployed = {
      ...deployed(job('torn', { schedule: half }), 'v2'),
      zip: async () => Buffer.from('?'),
    };
    const catalog = new Map([...world.jobs, ['torn', torn]]);
    await register(world.parts, catalog, world.now);
    const work = pipeline(world.host({ catalog: () => catalog }));
    for (world.now = seven - minute; world.now < seven + 35 * minute; world.now += minute) await work.tick(world.now);
    expect(await slots(world, 'torn')).toEqual(['07:00']);
    expect(await slots(world, 'good')).toEqual(['07:00']);
    // Whole again: the next tick registers it.
    torn.zip = deployed(torn.job, 'v2').zip;
    await work.tick(world.now);
    expect((await world.store.jobs.get('torn'))?.value.bundle).toBe(torn.bundle);
  });
});
