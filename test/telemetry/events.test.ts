import { expect, test } from 'vitest';
import { type Finding, opened } from '../../shared/drift/finding.ts';
import type { Event } from '../../shared/events.ts';
import { minute, second } from '../../shared/instant.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import type { TelemetryEvent } from '../../shared/telemetry/events.ts';
import { itemLimit, measurementLimit, nameLimit } from '../../shared/telemetry/limits.ts';
import { telemetryOf } from '../../shared/telemetry/translate.ts';
import { catalogOf, hourly, job, seven, started } from '../support/pipeline/cast.ts';

const catalog = catalogOf(job('score', { schedule: hourly }));
const reported = (event: Event) => telemetryOf(event, catalog);

function only(event: Event): TelemetryEvent {
  const [first, ...others] = reported(event);
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
  const [attempt, run] = reported({ type: 'run-finished', run: ended({ metrics, outputs }) });
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

test('a run of a job that is not deployed any more is reported without its owner', () => {
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

test('a run that is cancelled while it waits for its next attempt does not report the last attempt again', () => {
  const run = ended({ state: 'cancelled', nextAttemptAt: seven + minute, reason: 'no longer needed' });
  expect(only({ type: 'run-finished', run })).toMatchObject({
    name: 'LamplighterRun',
    properties: { state: 'cancelled', reason: 'no longer needed' },
  });
});

test.each(['rerun', 'backfill'] as const)('a %s is not late, however old its slot', (trigger) => {
  for (const { measurements } of reported({ type: 'run-finished', run: ended({ trigger }) })) {
    expect(measurements).not.toHaveProperty('lagMs');
  }
});

test('a run that ended after it had to says by how much, and an outage of many slots says how many', () => {
  const late = reported({ type: 'run-finished', run: ended({ finishBy: seven + minute }) });
  expect(late[1]?.measurements).toMatchObject({ overdueMs: 2_000 });
  const missed = newRun('score', seven, 'schedule', seven, {
    state: 'missed',
    reasonCode: 'outage',
    reason: '60 slots up to here: the service was unavailable',
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
  for (const { properties } of reported({ type: 'run-finished', run })) {
    const text = properties.error ?? '';
    expect(text).toContain('cannot read https://a.blob.core.windows.net/runs/x?… nor http://app/api/finish?… now xxx');
    expect(text).not.toMatch(/sig=|code=|\p{Cc}/u);
    expect(text.length).toBeLessThanOrEqual(1_000);
  }
});

test('an event takes as many figures as the service does, plain numbers first, and says that some are missing', () => {
  const numbers = Object.fromEntries(Array.from({ length: 150 }, (_, number) => [`number${number}`, number]));
  const mix = Object.fromEntries(Array.from({ length: 100 }, (_, number) => [`category ${number}`, number]));
  const [attempt] = reported({ type: 'run-finished', run: ended({ metrics: { mix, ...numbers } }) });
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
  for (const { properties, measurements } of reported({ type: 'run-finished', run })) {
    const names = Object.keys(measurements).filter((name) => name.startsWith('metric.'));
    for (const name of names) expect(name.length).toBeLessThanOrEqual(nameLimit);
    for (const name of names) expect(name).not.toMatch(/\p{C}/u);
    expect(Buffer.byteLength(JSON.stringify({ properties, measurements }))).toBeLessThan(itemLimit);
  }
  const [attempt] = reported({ type: 'run-finished', run });
  expect(Object.keys(attempt?.measurements ?? {}).length).toBeGreaterThan(40);
});

test('names that mean something to JavaScript are names like others', () => {
  const metrics = JSON.parse(
    '{"constructor":1,"toString":2,"mix":{"__proto__":3,"hasOwnProperty":4}}',
  ) as Run['metrics'];
  const [attempt] = reported({ type: 'run-finished', run: ended({ metrics }) });
  expect(attempt?.measurements).toMatchObject({
    'metric.constructor': 1,
    'metric.toString': 2,
    'metric.mix.__proto__': 3,
    'metric.mix.hasOwnProperty': 4,
  });
});

test('a message that no one can read is reported without its text', () => {
  const event = only({ type: 'launch-unreadable', text: 'password=hunter2' });
  expect(event.name).toBe('LamplighterTrouble');
  expect(JSON.stringify(event)).not.toContain('hunter2');
});

test('ticks, trouble, clocks and secrets are reported, each by its own event', () => {
  const tick: Event = { type: 'ticked', host: 'here', jobs: 3, behindMs: 0, tookMs: 120, setAside: 1 };
  expect(only(tick)).toEqual({
    name: 'LamplighterTick',
    properties: { host: 'here' },
    measurements: { jobs: 3, behindMs: 0, durationMs: 120, setAside: 1 },
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

test('drift is one event with its sentence and cause when found, and another when it is over', () => {
  const sign = { metric: 'mean', since: seven, found: seven + minute, kind: 'shift_up', oneIn: 900 } as const;
  const numbers = { metric: 'mean', kind: 'shift_up', share: false, before: 10, low: 9, high: 12, after: 20 } as const;
  const change = { kind: 'model', at: 4, text: 'the model changed from a to b' } as const;
  const finding: Finding = {
    ...opened('score', { ...sign, numbers }),
    sentence: 'The mean is 20.',
    attribution: { verdict: 'agent', candidates: [{ change, weight: 1 }] },
  };
  const found = only({ type: 'drift-found', finding });
  expect(found.name).toBe('LamplighterDrift');
  expect(found.properties).toMatchObject({
    ...{ job: 'score', finding: String(seven + minute), state: 'open', metric: 'mean' },
    ...{ sentence: 'The mean is 20.', cause: change.text, since: '2026-11-20T07:00:00Z' },
  });
  expect(found.measurements).toEqual({ metrics: 1, before: 10, low: 9, high: 12, after: 20 });
  const over = only({ type: 'drift-recovered', finding: { ...finding, attribution: null, state: 'recovered' } });
  expect(over.properties).toMatchObject({ state: 'recovered', cause: 'nothing changed on our side' });
});
