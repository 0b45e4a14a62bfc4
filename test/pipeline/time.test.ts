import { expect, test } from 'vitest';
import { pause, resume } from '../../shared/actions/pause.ts';
import { day, hour, minute, second } from '../../shared/instant.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { deployed, everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { Died, mortal } from '../support/pipeline/fault.ts';
import { World } from '../support/pipeline/parts.ts';

const asked = { by: 'dana', why: 'the CRM moves' };
const hourlyWith = (policy: string) => `{ cron: "0 * * * *", timeZone: UTC, ${policy} }`;

test.each([
  ['latest', 'catchUp: latest', ['missed outage', 'missed outage', 'succeeded', 'queued']],
  ['all', 'catchUp: all', ['succeeded', 'succeeded', 'succeeded', 'queued']],
  ['all, capped', 'catchUp: all, catchUpLimit: 2', ['missed catch-up-limit', 'succeeded', 'succeeded', 'queued']],
  ['none', 'catchUp: none', ['missed outage', 'missed outage', 'missed outage', 'queued']],
  [
    'too late for all',
    'catchUp: all, mustStartWithin: 5m',
    ['missed start-within', 'missed start-within', 'missed start-within', 'queued'],
  ],
])('after an outage of three slots each has a row: %s', async (_, policy, states) => {
  const world = await World.inMemory(job('score', { schedule: hourlyWith(policy) }));
  world.now = seven + 2 * hour + 59 * minute;
  await world.work.tick(world.now);
  await world.settleDown();
  // The next slot, a minute ahead, is claimed by the same tick.
  expect(await world.states('score')).toEqual(states);
  const caught = (await world.rows('score')).filter(({ state }) => state === 'succeeded');
  expect(caught.every(({ trigger }) => trigger === 'catch-up')).toBe(true);
  await world.pass(seven + 3 * hour + 10 * minute);
  expect(await world.leftovers()).toEqual([]);
});

test('caught-up runs take turns where the job forbids two at once', async () => {
  const world = await World.inMemory(job('score', { schedule: hourlyWith('catchUp: all') }));
  world.platform.behave = () => 'run';
  world.now = seven + 2 * hour + 30 * minute;
  await world.work.tick(world.now);
  await world.settleDown();
  expect(world.platform.running().map(({ run }) => run)).toEqual(['20261120T070000Z']);
  for (const run of ['20261120T080000Z', '20261120T090000Z']) {
    const [now] = world.platform.running();
    if (now) await world.platform.end(now);
    await world.settleDown();
    expect(world.platform.running().map((one) => one.run)).toEqual([run]);
  }
});

test('a week away of a job of every minute is reported in a bounded number of rows that count every slot', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute }));
  world.now += 7 * day;
  await world.work.tick(world.now);
  const rows = await world.rows('score');
  expect(rows.length).toBeLessThan(1_500);
  expect(rows.reduce((sum, { slots }) => sum + slots, 0)).toBe(7 * 24 * 60 + 1);
  expect(rows.find(({ slots }) => slots > 1)?.reason).toMatch(/^\d+ slots up to here: the service was unavailable/);
});

test('a job that starts too late to be of use is missed, and says by when', async () => {
  const world = await World.inMemory(job('score', { schedule: hourlyWith('mustStartWithin: 5m') }));
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  world.now = seven + 6 * minute;
  await world.settleDown();
  expect(await world.row('score')).toMatchObject({
    state: 'missed',
    reasonCode: 'start-within',
    reason: 'could not start by 2026-11-20T07:05:00Z',
  });
  expect(await world.leftovers()).toEqual([]);
});

test('a paused job skips its slots with the reason, also one that had been claimed ahead', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  await pause(world.parts, 'score', asked, world.now + 10 * second);
  await world.pass(seven + hour + minute);
  expect(await world.states('score')).toEqual(['skipped paused', 'skipped paused']);
  expect((await world.rows('score'))[0]?.reason).toBe('paused by dana: the CRM moves');
  expect(world.platform.starts).toHaveLength(0);
  expect(await world.leftovers()).toEqual([]);
});

test('a slot right after the end of a pause runs, even though a tick saw it while the job was paused', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  await pause(world.parts, 'score', asked, world.now);
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  await resume(world.parts, 'score', asked, false, seven - 10 * second);
  await world.pass(seven + minute);
  expect(await world.states('score')).toEqual(['succeeded']);
});

test.each([
  ['latest', 'catchUp: latest', ['08:00']],
  ['all', 'catchUp: all', ['07:00', '08:00']],
  ['none', 'catchUp: none', []],
])('what a pause skipped is caught up as the job says: %s', async (_, policy, expected) => {
  const world = await World.inMemory(job('score', { schedule: hourlyWith(policy) }));
  await pause(world.parts, 'score', asked, world.now);
  await world.pass(seven + hour + 20 * minute);
  const runs = await resume(world.parts, 'score', asked, true, world.now);
  expect(runs?.map(({ slot }) => new Date(slot).toISOString().slice(11, 16))).toEqual(expected);
  await world.pass(seven + hour + 30 * minute);
  const caught = (await world.rows('score')).filter(({ trigger }) => trigger === 'catch-up');
  expect(caught.map(({ state }) => state)).toEqual(expected.map(() => 'succeeded'));
  expect(await resume(world.parts, 'score', asked, true, world.now)).toBeUndefined();
});

test('a resume that dies anywhere is done by resuming again, each slot caught up once', async () => {
  for (let at = 1; ; at++) {
    const world = await World.inMemory(job('score', { schedule: hourlyWith('catchUp: all') }));
    await pause(world.parts, 'score', asked, world.now);
    for (const slot of [seven, seven + hour]) {
      world.now = slot;
      await world.work.tick(world.now);
      await world.settleDown();
    }
    world.now += 20 * minute;
    const first = await resume(mortal(world.parts, at, 'after').parts, 'score', asked, true, world.now).catch((e) => e);
    await resume(world.parts, 'score', asked, true, world.now);
    await world.pass(world.now + 4 * minute);
    const caught = (await world.rows('score')).filter(({ trigger }) => trigger === 'catch-up');
    expect([at, ...caught.map(({ state }) => state)]).toEqual([at, 'succeeded', 'succeeded']);
    expect((await world.store.jobs.get('score'))?.value.paused).toBeNull();
    if (!(first instanceof Died)) return;
  }
});

test('what a person asks for runs during a pause', async () => {
  const { runNow } = await import('../../shared/actions/run-now.ts');
  const world = await World.inMemory(job('score', { schedule: hourly }));
  await pause(world.parts, 'score', asked, world.now);
  await runNow(world.parts, 'score', [], asked, world.now);
  await world.settleDown();
  expect(await world.states('score')).toEqual(['succeeded']);
});

test('a new job never runs its past, and runs the slot of the coming minute', async () => {
  const world = await World.inMemory();
  world.now = seven - 20 * second;
  await world.work.tick(world.now);
  world.now = seven - 10 * second;
  await world.deploy(job('fresh', { schedule: everyMinute }));
  await world.pass(seven + minute + 10 * second);
  const slots = (await world.rows('fresh')).map(({ slot, state }) => [slot, state]);
  expect(slots).toEqual([
    [seven, 'succeeded'],
    [seven + minute, 'succeeded'],
    [seven + 2 * minute, 'queued'],
  ]);
});

test('registering that dies anywhere leaves nothing out when it is done again', async () => {
  for (let at = 1; ; at++) {
    const world = await World.inMemory();
    world.now = seven - 20 * second;
    await world.work.tick(world.now);
    world.jobs.set('fresh', deployed(job('fresh', { schedule: hourly })));
    const { parts } = mortal(world.parts, at, 'after');
    const first = await register(parts, world.jobs, world.now).catch((error) => error);
    await register(world.parts, world.jobs, world.now + second);
    await world.pass(seven + 5 * minute);
    expect([at, await world.states('fresh')]).toEqual([at, ['succeeded']]);
    if (!(first instanceof Died)) return;
  }
});

test('after a change of the schedule the old one counts until the change, the new one since', async () => {
  const world = await World.inMemory(job('score', { schedule: hourlyWith('catchUp: all') }));
  // No one ticks until half past nine; at 08:30 the job is deployed with a new schedule.
  world.now = seven + 90 * minute;
  await world.deploy(job('score', { schedule: '{ cron: "15 * * * *", timeZone: UTC, catchUp: all }' }), 'v2');
  world.now = seven + 2 * hour + 30 * minute;
  await world.work.tick(world.now);
  const slots = (await world.rows('score')).map(({ slot }) => new Date(slot).toISOString().slice(11, 16));
  expect(slots).toEqual(['07:00', '08:00', '09:15']);
});

test('a change of the code alone changes no slot', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  await world.deploy(job('score', { schedule: hourly }), 'v2');
  await world.pass(seven + minute);
  const row = await world.row('score');
  expect(row.versions?.bundle).toBe(world.jobs.get('score')?.bundle);
  const events = [];
  for await (const { kind } of world.store.events.list('score')) events.push(kind);
  expect(events).toEqual(['deployed', 'deployed']);
});

test('files that change while they are read are not stored under the digest of others', async () => {
  const world = await World.inMemory(job('good', { schedule: hourly }));
  const torn = { ...deployed(job('torn', { schedule: hourly })), zip: async () => Buffer.from('something else') };
  const catalog = new Map([...new Map([['torn', torn]]), ...world.jobs]);
  await register(world.parts, catalog, world.now);
  expect(await world.store.jobs.get('torn')).toBeUndefined();
  expect(world.events).toContainEqual(expect.objectContaining({ type: 'trouble', doing: 'registering torn' }));
});

test.each([
  ['back', -hour],
  ['forward', hour],
])('a clock that jumps an hour %s between ticks leaves no slot out and runs none twice', async (_, jump) => {
  const world = await World.inMemory(job('score', { schedule: everyMinute, run: 'overlap: allow' }));
  const from = world.now + minute;
  await world.pass(seven);
  // The store's clock, which all hosts share, has not jumped.
  await expect(world.work.tick(world.now + jump)).rejects.toThrow('nothing is claimed or watched');
  await world.pass(seven + 5 * minute);
  const rows = await world.rows('score');
  const slots = rows.map(({ slot }) => slot);
  expect(new Set(slots).size).toBe(slots.length);
  const last = slots.at(-1) ?? 0;
  expect(slots).toHaveLength((last - from) / minute + 1);
  expect(last).toBe(seven + 6 * minute);
  expect(Math.max(...world.platform.executions.values())).toBe(1);
});

test('a job that no one may run any more has no slots', async () => {
  const world = await World.inMemory(job('old', { schedule: everyMinute, more: 'status: decommissioned' }));
  await world.pass(seven);
  expect(await world.rows('old')).toEqual([]);
});

test('a tick that finds what another has recorded as missed says it once', async () => {
  const world = await World.inMemory(job('score', { schedule: hourlyWith('catchUp: none') }));
  world.now = seven + 2 * hour + 30 * minute;
  const other = pipeline(world.host({ person: 'second' }));
  await Promise.all([world.work.tick(world.now), other.tick(world.now)]);
  expect(world.events.filter(({ type }) => type === 'run-not-started')).toHaveLength(3);
});
