import { describe, expect, test } from 'vitest';
import { day, hour, type Instant, minute, second } from '../../shared/instant.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { pipeline } from '../../shared/pipeline.ts';
import type { JobEvent } from '../../shared/run/job-event.ts';
import { catalogOf, deployed, everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { half, hourlyAll, packaged, slots, text } from '../support/pipeline/claims.ts';
import { World } from '../support/pipeline/parts.ts';

describe('two packages side by side', () => {
  test.each(['old first', 'new first'])('lose no slot of a job that only one of them knows: %s', async (order) => {
    const world = await World.inMemory(job('stays', { schedule: hourly }), job('removed', { schedule: everyMinute }));
    const before = packaged(world.catalog(), world.now);
    const after = packaged(
      catalogOf(job('stays', { schedule: hourly }), job('added', { schedule: everyMinute })),
      seven - 20 * minute,
    );
    const [old, fresh] = [before, after].map((catalog) => pipeline(world.host({ catalog: () => catalog })));
    world.now = seven - 10 * minute;
    await old?.tick(world.now);
    await register(world.host({ catalog: () => after }), after, world.now);
    for (let tick = 0; tick < 25; tick++, world.now += minute) {
      const both = order === 'old first' ? [old, fresh] : [fresh, old];
      for (const work of both) await work?.tick(world.now);
    }
    const since = (from: Instant) => Array.from({ length: 25 }, (_, number) => text(from + number * minute));
    expect(await slots(world, 'added')).toEqual(since(seven - 9 * minute));
    expect((await slots(world, 'removed')).slice(-25)).toEqual(since(seven - 9 * minute));
    expect(await slots(world, 'stays')).toEqual(['07:00']);
  });

  test('a late process of the older one flips no job back, neither its code nor its schedule', async () => {
    const world = await World.inMemory(job('score', { schedule: hourly }));
    const before = packaged(catalogOf(job('score', { schedule: hourly })), world.now);
    const after = packaged(catalogOf(job('score', { schedule: half })), world.now + minute);
    world.now += 2 * minute;
    await register(world.parts, after, world.now);
    const late = world.host({ catalog: () => before });
    for (; world.now < seven + 35 * minute; world.now += minute) {
      await register(late, before, world.now);
      await pipeline(late).tick(world.now);
      await pipeline(world.host({ catalog: () => after })).tick(world.now);
    }
    expect((await world.store.jobs.get('score'))?.value.bundle).toBe(after.get('score')?.bundle);
    expect(await slots(world, 'score')).toEqual(['07:30']);
  });

  test('a roll-back to a package that was made earlier is registered after ten minutes', async () => {
    const world = await World.inMemory();
    const before = catalogOf(job('score', { schedule: hourly }));
    await register(world.parts, packaged(before, world.now), world.now);
    const after = catalogOf(job('score', { schedule: half }));
    await register(world.parts, packaged(after, world.now + minute), world.now + 2 * minute);
    const back = packaged(before, world.now, world.now + 3 * minute);
    world.now += 3 * minute;
    const work = pipeline(world.host({ catalog: () => back }));
    await register(world.host({ catalog: () => back }), back, world.now);
    const bundle = async () => (await world.store.jobs.get('score'))?.value.bundle;
    world.now += 2 * minute;
    await work.tick(world.now);
    expect(await bundle()).toBe(after.get('score')?.bundle);
    world.now += 10 * minute;
    await work.tick(world.now);
    expect(await bundle()).toBe(before.get('score')?.bundle);
  });

  test('registered by four processes at once, a deployment is one event, with the job as its manifest made it', async () => {
    const world = await World.inMemory();
    const jobs = catalogOf(job('score', { schedule: hourly }));
    await Promise.all([0, 1, 2, 3].map((ms) => register(world.parts, packaged(jobs, world.now), world.now + ms)));
    const changed = new Map([['score', deployed(job('score', { schedule: half }), 'v2')]]);
    await Promise.all(
      [5, 6, 7, 8].map((ms) => register(world.parts, packaged(changed, world.now + ms), world.now + ms)),
    );
    const events: JobEvent[] = [];
    for await (const event of world.store.events.list('score')) events.push(event);
    expect(events.map(({ kind }) => kind).sort()).toEqual(['deployed', 'deployed', 'schedule-changed']);
    const newest = events.find(({ kind, details }) => kind === 'deployed' && details.previous !== '');
    expect(JSON.parse(String(newest?.details.manifest))).toMatchObject({
      name: 'score',
      owner: { email: 'dana@contoso.com' },
      schedules: [{ cron: '30 * * * *' }],
    });
  });

  test('an event of a deployment whose host died before it was written is written by the next process', async () => {
    const world = await World.inMemory();
    const jobs = catalogOf(job('score', { schedule: hourly }));
    const mute = { ...world.store.events, append: () => Promise.reject(new Error('died')) };
    await register(world.host({ store: { ...world.store, events: mute } }), jobs, world.now);
    await register(world.parts, jobs, world.now + minute);
    await register(world.parts, jobs, world.now + 2 * minute);
    const events: JobEvent[] = [];
    for await (const event of world.store.events.list('score')) events.push(event);
    expect(events.map(({ kind, at }) => [kind, at])).toEqual([['deployed', world.now]]);
  });
});

test('every change of the schedule inside an outage is kept', async () => {
  const world = await World.inMemory(job('score', { schedule: hourlyAll }));
  const at = (cron: string) => `{ cron: "${cron} * * * *", timeZone: UTC, catchUp: all }`;
  for (const [after, cron] of [
    [75, '10'],
    [135, '20'],
    [195, '40'],
  ] as const) {
    world.now = seven - 30 * minute + after * minute;
    await world.deploy(job('score', { schedule: at(cron) }), cron);
  }
  world.now = seven + 4 * hour;
  await world.work.tick(world.now);
  expect(await slots(world, 'score')).toEqual(['07:00', '08:10', '09:20', '10:40']);
});

describe('a job that was removed', () => {
  test('has its waiting runs cancelled with the reason at the next tick; what runs goes on', async () => {
    const world = await World.inMemory(job('score', { schedule: everyMinute, run: 'overlap: queue' }));
    world.platform.behave = () => 'run';
    await world.pass(seven);
    expect((await world.states('score')).filter((state) => state === 'queued').length).toBeGreaterThan(10);
    const without = packaged(new Map(), world.now);
    await pipeline(world.host({ catalog: () => without })).tick(world.now + second);
    const rows = await world.rows('score');
    expect(rows.map(({ state }) => state)).toEqual(['running', ...rows.slice(1).map(() => 'cancelled')]);
    expect(rows.at(-1)?.reason).toBe('the job score is not here any more');
  });

  test('is left alone by an older package that never knew it, and by one that cannot read it just now', async () => {
    const world = await World.inMemory();
    const fresh = packaged(catalogOf(job('score', { schedule: everyMinute })), world.now);
    await register(world.host({ catalog: () => fresh }), fresh, world.now);
    await pipeline(world.host({ catalog: () => fresh })).tick(world.now);
    const old = packaged(new Map(), world.now - hour);
    const broken = Object.assign(new Map(), {
      package: { made: world.now + 1, read: world.now + 1, broken: new Set(['score']) },
    });
    for (const catalog of [old, broken]) {
      for (let tick = 1; tick < 15; tick++)
        await pipeline(world.host({ catalog: () => catalog })).tick(world.now + tick * second);
    }
    expect(new Set(await world.states('score'))).toEqual(new Set(['queued']));
  });
});

test.each([
  ['an hour', hour],
  ['a day', day],
  ['a year', 365 * day],
])('a host whose clock is %s behind registers a new schedule without running the slots of that time', async (_, behind) => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  await world.pass(seven + 10 * minute);
  const changed = deployed(job('score', { schedule: everyMinute }), 'print(2)');
  const catalog = new Map([['score', changed]]);
  Object.assign(world.parts, { catalog: () => catalog });
  await register(world.parts, catalog, world.now - behind);
  const rows = await world.rows('score');
  expect(rows.filter(({ slot }) => slot < seven)).toEqual([]);
  expect(rows.length).toBeLessThan(5);
  await world.pass(seven + 20 * minute);
  const slots = new Set((await world.rows('score')).map(({ slot }) => slot));
  for (let at = seven + 12 * minute; at <= seven + 20 * minute; at += minute) expect(slots).toContain(at);
});

test.each([
  -365 * day,
  -hour,
  hour,
  365 * day,
])('a late old process whose clock is off by %d ms does not flip a job back', async (off) => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  const old = packaged(world.catalog(), world.now);
  await register(world.host({ catalog: () => old }), old, world.now);
  const changed = deployed(job('score', { schedule: everyMinute }), 'print(2)');
  const fresh = packaged(new Map([['score', changed]]), world.now + minute);
  world.now += 5 * minute;
  await register(world.host({ catalog: () => fresh }), fresh, world.now);
  world.now += 2 * minute;
  await register(world.host({ catalog: () => old }), old, world.now + off);
  const row = (await world.store.jobs.get('score'))?.value;
  expect([row?.bundle, row?.schedulesSince]).toEqual([changed.bundle, world.now - 2 * minute]);
});
