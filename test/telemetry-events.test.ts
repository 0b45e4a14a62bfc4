import { expect, test } from 'vitest';
import { minute, second } from '../shared/instant.ts';
import type { Event } from '../shared/journal.ts';
import { pipeline } from '../shared/pipeline.ts';
import { newRun, type Run } from '../shared/run.ts';
import { type EventName, events, hasMeasurement, type TelemetryEvent } from '../shared/telemetry/events.ts';
import { itemLimit, measurementLimit, nameLimit } from '../shared/telemetry/limits.ts';
import { telemetryOf } from '../shared/telemetry/translate.ts';
import { catalogOf, hourly, job, seven, started } from './support/cast.ts';
import { Died, mortal, type When } from './support/fault.ts';
import { World } from './support/parts.ts';

const catalog = catalogOf(job('score', { schedule: hourly }));
const told = (event: Event) => telemetryOf(event, catalog);

function only(event: Event): TelemetryEvent {
  const [first, ...others] = told(event);
  if (!first || others.length > 0) throw new Error(`${event.type} is ${others.length + (first ? 1 : 0)} events`);
  return first;
}

/** With an attempt that has left a result. */
function ended(more: Partial<Run> = {}, attempt: Partial<Run['attempts'][number]> = {}): Run {
  const run = started('score');
  const last = {
    ...run.attempts[0],
    state: 'succeeded',
    startedAt: seven + 2 * second,
    endedAt: seven + 62 * second,
    cpuMs: 1_500,
    peakMemoryBytes: 64_000_000,
    logBytes: 2_000,
    exitCode: 0,
    ...attempt,
  } as Run['attempts'][number];
  return {
    ...run,
    state: 'succeeded',
    startedAt: last.startedAt,
    endedAt: last.endedAt,
    attempts: [last],
    versions: { bundle: 'b', commit: 'c+', lock: 'l', image: 'sha256:i', python: '3.12.1', secrets: { key: 'v1' } },
    ...more,
  };
}

test('an attempt says where, when, how long, with what, and what it reported', () => {
  const metrics = { rows: 412, mix: { high: 40, low: 372 } };
  const outputs = [{ path: 'out/list.csv', bytes: 1, sha256: 'x', rows: 412, problem: null }];
  const [attempt, run] = told({ type: 'run-finished', run: ended({ metrics, outputs }) });
  expect(attempt).toEqual({
    name: 'LamplighterAttempt',
    properties: {
      job: 'score',
      run: '20261120T070000Z',
      slot: '2026-11-20T07:00:00Z',
      trigger: 'schedule',
      attempt: '1',
      state: 'succeeded',
      executor: 'fake',
      startedAt: '2026-11-20T07:00:02Z',
      endedAt: '2026-11-20T07:01:02Z',
      bundle: 'b',
      commit: 'c+',
      lock: 'l',
      image: 'sha256:i',
      python: '3.12.1',
      tier: 'standard',
      status: 'production',
      department: 'Sales',
      owner: 'dana@contoso.com',
    },
    measurements: {
      lagMs: 2_000,
      durationMs: 60_000,
      cpuMs: 1_500,
      peakMemoryBytes: 64_000_000,
      memoryLimitBytes: 1024 ** 3,
      logBytes: 2_000,
      exitCode: 0,
      'metric.rows': 412,
      'metric.mix.high': 40,
      'metric.mix.low': 372,
      'output.out/list.csv.rows': 412,
    },
  });
  expect(run).toMatchObject({ name: 'LamplighterRun', properties: { state: 'succeeded' } });
  expect(run?.measurements).toEqual({ slots: 1, attempts: 1, warnings: 0, lagMs: 2_000, durationMs: 60_000 });
});

test('a run of a job that is not deployed any more is told of without its owner', () => {
  const [attempt] = telemetryOf({ type: 'run-finished', run: ended() }, new Map());
  expect(attempt?.properties).not.toHaveProperty('tier');
  expect(attempt?.properties).toMatchObject({ job: 'score', state: 'succeeded' });
});

test('an attempt that left no result does not repeat what an earlier one reported', () => {
  const lost = { state: 'lost', cpuMs: null, errorClass: 'lost', error: 'no sign of life', exitCode: null } as const;
  const run = ended({ state: 'retrying', nextAttemptAt: seven + minute, metrics: { rows: 412 } }, lost);
  const { properties, measurements } = only({ type: 'attempt-failed', run });
  expect(properties).toMatchObject({ state: 'lost', errorClass: 'lost', error: 'no sign of life' });
  expect(properties).not.toHaveProperty('python');
  expect(Object.keys(measurements).filter((name) => name.startsWith('metric.'))).toEqual([]);
});

test('a run that is cancelled while it waits for its next attempt does not tell of the last attempt again', () => {
  const run = ended({ state: 'cancelled', nextAttemptAt: seven + minute, reason: 'no longer needed' });
  expect(only({ type: 'run-finished', run })).toMatchObject({
    name: 'LamplighterRun',
    properties: { state: 'cancelled', reason: 'no longer needed' },
  });
});

test.each(['rerun', 'backfill'] as const)('a %s is not late, however old its slot', (trigger) => {
  for (const { measurements } of told({ type: 'run-finished', run: ended({ trigger }) })) {
    expect(measurements).not.toHaveProperty('lagMs');
  }
});

test('a run that ended after it had to says by how much, and an outage of many slots says how many', () => {
  const late = told({ type: 'run-finished', run: ended({ finishBy: seven + minute }) });
  expect(late[1]?.measurements).toMatchObject({ overdueMs: 2_000 });
  const missed = newRun('score', seven, 'schedule', seven, {
    state: 'missed',
    reasonCode: 'outage',
    reason: '60 slots up to here: the service was away',
    slots: 60,
    endedAt: seven,
  });
  expect(only({ type: 'run-not-started', run: missed })).toMatchObject({
    name: 'LamplighterRun',
    properties: { state: 'missed', reasonCode: 'outage' },
    measurements: { slots: 60, attempts: 0 },
  });
});

test('signatures in addresses, control characters and endless lines do not get into an event', () => {
  const address = 'https://a.blob.core.windows.net/runs/x?sv=2026&sig=c2VjcmV0%3D';
  const error = `cannot read ${address}, nor http://app/api/finish?code=abc#d\u0000\u001b[31m\tnow ${'x'.repeat(5_000)}`;
  const run = ended({ state: 'failed' }, { state: 'failed', error });
  for (const { properties } of told({ type: 'run-finished', run })) {
    const text = properties.error ?? '';
    expect(text).toContain('cannot read https://a.blob.core.windows.net/runs/x?… nor http://app/api/finish?… now xxx');
    expect(text).not.toMatch(/sig=|code=|\p{Cc}/u);
    expect(text.length).toBeLessThanOrEqual(1_000);
  }
});

test('an event takes as many figures as the service does, plain numbers first, and says that some are missing', () => {
  const numbers = Object.fromEntries(Array.from({ length: 150 }, (_, number) => [`number${number}`, number]));
  const mix = Object.fromEntries(Array.from({ length: 100 }, (_, number) => [`category ${number}`, number]));
  const [attempt] = told({ type: 'run-finished', run: ended({ metrics: { mix, ...numbers } }) });
  const names = Object.keys(attempt?.measurements ?? {});
  expect(names).toHaveLength(measurementLimit);
  expect(names.filter((name) => name.startsWith('metric.number'))).toHaveLength(150);
  // The most frequent categories stay.
  expect(names).toContain('metric.mix.category 99');
  expect(names).not.toContain('metric.mix.category 0');
  expect(attempt?.properties.note).toBe('57 figures left out: an event holds at most 200, and 64 KB');
});

test('names of figures are cut to what the service takes, without two becoming one, and the whole stays below 64 KB', () => {
  const long = (end: string) => `${'\u{1F4C8}'.repeat(90)}${end}`;
  const category = Object.fromEntries(Array.from({ length: 100 }, (_, number) => [long(`-${number}`), number]));
  const metrics = { ['m'.repeat(64)]: category, ['n'.repeat(64)]: category, other: { 'line\nbreak\u0007': 1 } };
  const run = ended({ metrics, reason: 'x'.repeat(9_000) }, { error: '\u{1F4C8}'.repeat(9_000) });
  for (const { properties, measurements } of told({ type: 'run-finished', run })) {
    const names = Object.keys(measurements).filter((name) => name.startsWith('metric.'));
    for (const name of names) expect(name.length).toBeLessThanOrEqual(nameLimit);
    for (const name of names) expect(name).not.toMatch(/\p{C}/u);
    expect(Buffer.byteLength(JSON.stringify({ properties, measurements }))).toBeLessThan(itemLimit);
  }
  const [attempt] = told({ type: 'run-finished', run });
  expect(Object.keys(attempt?.measurements ?? {}).length).toBeGreaterThan(40);
});

test('names that mean something to JavaScript are names like others', () => {
  const metrics = JSON.parse(
    '{"constructor":1,"toString":2,"mix":{"__proto__":3,"hasOwnProperty":4}}',
  ) as Run['metrics'];
  const [attempt] = told({ type: 'run-finished', run: ended({ metrics }) });
  expect(attempt?.measurements).toMatchObject({
    'metric.constructor': 1,
    'metric.toString': 2,
    'metric.mix.__proto__': 3,
    'metric.mix.hasOwnProperty': 4,
  });
});

test('a message that nobody can read is told of without its text', () => {
  const event = only({ type: 'launch-unreadable', text: 'password=hunter2' });
  expect(event.name).toBe('LamplighterTrouble');
  expect(JSON.stringify(event)).not.toContain('hunter2');
});

test('ticks, trouble, clocks and secrets are told of, each by its own event', () => {
  const tick: Event = { type: 'ticked', host: 'here', jobs: 3, behindMs: 0, tookMs: 120 };
  expect(only(tick)).toEqual({
    name: 'LamplighterTick',
    properties: { host: 'here' },
    measurements: { jobs: 3, behindMs: 0, durationMs: 120 },
  });
  const error = Object.assign(new Error('connect\nat x'), { code: 'ECONNREFUSED' });
  expect(only({ type: 'trouble', doing: 'ticking', error })).toEqual({
    name: 'LamplighterTrouble',
    properties: { category: 'trouble', doing: 'ticking', error: 'connect (ECONNREFUSED)' },
    measurements: {},
  });
  expect(only({ type: 'clock-corrected', byMs: -4_000 }).measurements).toEqual({ offsetMs: -4_000 });
  const secret = { secret: 'crm-api-key', jobs: ['score', 'push'] };
  expect(only({ type: 'secret-expiring', ...secret, expiresOn: seven, days: 7 })).toEqual({
    name: 'LamplighterSecret',
    properties: { secret: 'crm-api-key', jobs: 'score, push', problem: 'expiring', expiresOn: '2026-11-20T07:00:00Z' },
    measurements: { days: 7 },
  });
  expect(only({ type: 'secret-expiring', ...secret, expiresOn: seven, days: -1 }).properties.problem).toBe('expired');
  expect(only({ type: 'secret-unusable', ...secret, error: 'is disabled' }).properties).toMatchObject({
    problem: 'unusable',
    error: 'is disabled',
  });
});

/** All that a world has told, as it would be sent; every field of it is declared. */
function sent(world: World): TelemetryEvent[] {
  const all = world.events.flatMap((event) => telemetryOf(event, world.catalog()));
  for (const { name, properties, measurements } of all) {
    for (const property of Object.keys(properties)) expect(events[name].properties).toHaveProperty(property);
    for (const one of Object.keys(measurements)) expect([one, hasMeasurement(name, one)]).toEqual([one, true]);
  }
  return all;
}

/** What was told, by the key of its kind, each once however often it was told. */
function keys(all: TelemetryEvent[], name: EventName): string[] {
  const fields = events[name].key as readonly (keyof TelemetryEvent['properties'])[];
  const found = all
    .filter((event) => event.name === name)
    .map(({ properties }) => fields.map((one) => properties[one]));
  return [...new Set(found.map((parts) => `${parts.join(' ')}`))];
}

test('each attempt and each run is told of once while nothing goes wrong, whatever its end', async () => {
  const retry = 'attempts: 3, backoff: constant, delay: 1s, on: [application]';
  const world = await World.of(
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

test('attempts that nobody began are told of each, and so is the run that is given up after five', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  world.platform.behave = () => 'never';
  await world.pass(seven + 30 * minute);
  expect((await world.row('score')).state).toBe('lost');
  const all = sent(world);
  expect(keys(all, 'LamplighterAttempt')).toHaveLength(5);
  expect(all.map(({ properties }) => properties.state)).toEqual([...Array(5).fill('abandoned'), 'lost']);
});

test('a run that is cancelled before it starts is told of', async () => {
  const { cancel } = await import('../shared/control.ts');
  const world = await World.of(job('score', { schedule: hourly }));
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
])('when a host dies at any call of a finish, %s it arrived, others tell of its attempt and its run', async (when) => {
  for (let at = 1; ; at++) {
    const world = await World.of(job('score', { schedule: hourly }));
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
    // Told twice at most, and only by another host.
    expect(all.length).toBeLessThanOrEqual(4);
    if (calls() < at) return;
  }
});

test.each([
  ['fail', 'retrying'],
  ['succeed', 'succeeded'],
] as const)('when an attempt is to %s and the answer to the write of its end is lost, it is told of all the same', async (behaviour, state) => {
  const retry = 'attempts: 2, backoff: constant, delay: 10m, on: [application]';
  const world = await World.of(job('score', { schedule: hourly, retry }));
  world.platform.behave = () => behaviour;
  world.deaf = true;
  await world.pass(seven + 10 * second);
  const { runs } = world.store;
  // As the storage library answers when its first try arrived and it tried again: somebody else has changed the row.
  const forgetful = {
    ...runs,
    replace: async (...given: Parameters<typeof runs.replace>) => void (await runs.replace(...given)),
  };
  const parts = world.host({ store: { ...world.store, runs: forgetful as unknown as typeof runs } });
  await pipeline(parts).finish({ job: 'score', run: '20261120T070000Z', attempt: 1 }, world.now);
  expect((await world.row('score')).state).toBe(state);
  expect(keys(sent(world), 'LamplighterAttempt')).toEqual(['score 20261120T070000Z 1']);
});
