import { expect, test } from 'vitest';
import { cancel } from '../../shared/actions/cancel.ts';
import { minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { type EventName, events, hasMeasurement, type TelemetryEvent } from '../../shared/telemetry/events.ts';
import { telemetryOf } from '../../shared/telemetry/translate.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { Died, mortal, type When } from '../support/pipeline/fault.ts';
import { World } from '../support/pipeline/parts.ts';

/** All that a world has reported of its attempts and runs, as it would be sent; every field of it is declared. */
function sent(world: World): TelemetryEvent[] {
  const reported = world.events.filter(({ type }) => type !== 'ticked');
  const all = reported.flatMap((event) => telemetryOf(event, world.catalog()));
  for (const { name, properties, measurements } of all) {
    for (const property of Object.keys(properties)) expect(events[name].properties).toHaveProperty(property);
    for (const one of Object.keys(measurements)) expect([one, hasMeasurement(name, one)]).toEqual([one, true]);
  }
  return all;
}

/** What was reported, by the key of its kind, each once however often it was reported. */
function keys(all: TelemetryEvent[], name: EventName): string[] {
  const fields = events[name].key as readonly (keyof TelemetryEvent['properties'])[];
  const found = all
    .filter((event) => event.name === name)
    .map(({ properties }) => fields.map((one) => properties[one]));
  return [...new Set(found.map((parts) => `${parts.join(' ')}`))];
}

test('each attempt and each run is reported once while nothing fails, whatever its end', async () => {
  const retry = 'attempts: 3, backoff: constant, delay: 1s, on: [application]';
  const world = await World.inMemory(
    job('score', { schedule: hourly, retry }),
    job('skip', { schedule: '{ cron: "*/1 7 * * *", timeZone: UTC }' }),
  );
  world.platform.behave = ({ job, attempt }) => (job === 'skip' ? 'run' : attempt < 3 ? 'fail' : 'succeed');
  await world.pass(seven + 3 * minute);
  const all = sent(world);
  const names = all.map(({ name, properties: { job, attempt, state } }) => `${name} ${job} ${attempt ?? ''} ${state}`);
  expect(names.filter((name) => name.includes(' score ')).sort()).toEqual([
    'LamplighterAttempt score 1 failed',
    'LamplighterAttempt score 2 failed',
    'LamplighterAttempt score 3 succeeded',
    'LamplighterRun score  succeeded',
  ]);
  // The first of them is still under way, and the others found it there.
  expect(names.filter((name) => name.includes(' skip '))).toEqual(Array(3).fill('LamplighterRun skip  skipped'));
});

test('attempts that no one began are reported each, and so is the run that is given up after five', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.platform.behave = () => 'never';
  await world.pass(seven + 30 * minute);
  expect((await world.row('score')).state).toBe('lost');
  const all = sent(world);
  expect(keys(all, 'LamplighterAttempt')).toHaveLength(5);
  expect(all.map(({ properties }) => properties.state)).toEqual([...Array(5).fill('abandoned'), 'lost']);
});

test('a run that is cancelled before it starts is reported', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  await cancel(world.parts, 'score', '20261120T070000Z', { by: 'dana', why: 'not today' }, world.now);
  await world.pass(seven + 5 * minute);
  expect(sent(world)).toEqual([
    expect.objectContaining({
      name: 'LamplighterRun',
      properties: expect.objectContaining({ state: 'cancelled', reason: 'not today' }),
    }),
  ]);
});

test.each<When>([
  'before',
  'after',
])('when a host dies at any call of a finish, %s it arrived, others report its attempt and its run', async (when) => {
  for (let at = 1; ; at++) {
    const world = await World.inMemory(job('score', { schedule: hourly }));
    world.deaf = true;
    await world.pass(seven + 10 * second);
    world.deaf = false;
    world.platform.nudges.splice(0);
    const { parts, calls } = mortal(world.parts, at, when);
    await pipeline(parts)
      .finish({ job: 'score', run: '20261120T070000Z', attempt: 1 }, world.now)
      .catch((error) => error instanceof Died || Promise.reject(error));
    await world.pass(seven + 5 * minute);
    const all = sent(world);
    expect([when, at, keys(all, 'LamplighterAttempt')]).toEqual([when, at, ['score 20261120T070000Z 1']]);
    expect([when, at, keys(all, 'LamplighterRun')]).toEqual([when, at, ['score 20261120T070000Z']]);
    // Reported twice at most, and only by another host. A step that fails on a dead host is trouble, which only lives in the test.
    expect(all.filter(({ name }) => name !== 'LamplighterTrouble').length).toBeLessThanOrEqual(4);
    if (calls() < at) return;
  }
});

test.each([
  ['fail', 'retrying'],
  ['succeed', 'succeeded'],
] as const)('when an attempt is to %s and the answer to the write of its end is lost, it is reported all the same', async (behaviour, state) => {
  const retry = 'attempts: 2, backoff: constant, delay: 10m, on: [application]';
  const world = await World.inMemory(job('score', { schedule: hourly, retry }));
  world.platform.behave = () => behaviour;
  world.deaf = true;
  await world.pass(seven + 10 * second);
  const { runs } = world.store;
  // As the storage library answers when its first try arrived and it tried again: another host has changed the row.
  const forgetful = {
    ...runs,
    replace: async (...given: Parameters<typeof runs.replace>) => void (await runs.replace(...given)),
  };
  const parts = world.host({ store: { ...world.store, runs: forgetful as unknown as typeof runs } });
  await pipeline(parts).finish({ job: 'score', run: '20261120T070000Z', attempt: 1 }, world.now);
  expect((await world.row('score')).state).toBe(state);
  expect(keys(sent(world), 'LamplighterAttempt')).toEqual(['score 20261120T070000Z 1']);
});
