import { beforeAll, describe, expect, test } from 'vitest';
import { opened } from '../../shared/drift/finding.ts';
import { day, hour, minute } from '../../shared/instant.ts';
import { newRun, type Run, runId } from '../../shared/run/run.ts';
import { telemetryOf } from '../../shared/telemetry/translate.ts';
import { type Choice, everything, queries, render } from '../support/infra/kql.ts';
import { type Answer, eventRow, prepare, type Row, runQueries } from '../support/infra/kql-rows.ts';
import { catalogOf, job, started } from '../support/pipeline/cast.ts';

const query = (name: string, choice: Choice = everything) => render(queries.get(name) ?? `no query ${name}`, choice);

const missing = prepare();
if (missing && process.env.CI) throw new Error(`queries cannot be run: ${missing}`);
if (missing) console.warn(`not tested is what the queries give for rows: ${missing}`);

describe.skipIf(missing)('what the queries give for rows', () => {
  const now = Date.now();
  const catalog = catalogOf(
    { ...job('score'), tier: 'critical' },
    { ...job('pull'), owner: { email: 'lee@contoso.com', department: 'Sales' } },
    { ...job('draft'), status: 'development' },
  );

  /** A run of `job` that began so long ago, with an attempt of that outcome; both are reported. */
  function ran(name: string, ago: number, state: 'succeeded' | 'failed' | 'lost', more: Partial<Run> = {}): Row[] {
    const at = now - ago;
    const attempt = {
      ...(started(name).attempts[0] as Run['attempts'][number]),
      state,
      startedAt: at,
      endedAt: at + 10_000,
      exitCode: state === 'succeeded' ? 0 : 1,
      errorClass: state === 'succeeded' ? null : ('application' as const),
      error: state === 'succeeded' ? null : "KeyError: 'email'",
      cpuMs: 4_000,
      peakMemoryBytes: 512 * 1024 ** 2,
      logBytes: 2_048,
    };
    const slot = at - 2_000;
    const whole = { id: runId(slot, 'schedule'), startedAt: at, endedAt: at + 10_000, attempts: [attempt], ...more };
    const run: Run = { ...newRun(name, slot, 'schedule', slot), state, ...whole };
    return telemetryOf({ type: 'run-finished', run }, catalog).map((event) => eventRow(event, at + 10_000));
  }

  function missed(name: string, ago: number, slots: number): Row[] {
    const more = { state: 'missed', reasonCode: 'outage', reason: 'the service was unavailable', slots } as const;
    const run = newRun(name, now - ago, 'schedule', now, { ...more, endedAt: now });
    return telemetryOf({ type: 'run-not-started', run }, catalog).map((event) => eventRow(event, now - ago));
  }

  const tick = (ago: number, setAside = 0) =>
    telemetryOf({ type: 'ticked', host: 'h', jobs: 3, behindMs: 0, tookMs: 200, setAside }, catalog).map((event) =>
      eventRow(event, now - ago),
    );

  /** A finding of a figure, reported again when another joins, and one of a column that was lost. */
  const drifted = (name: string, id: string, ago: number, signs: number, kind: 'shift_up' | 'lost' = 'shift_up') => {
    const since = now - 2 * day;
    const level = { metric: kind === 'lost' ? 'output:a.csv/mail' : 'rows', kind, share: false };
    const numbers = { ...level, before: 400, low: 380, high: 420, after: 500 };
    const sign = { ...level, since, found: since, oneIn: 900, numbers };
    const finding = { ...opened(name, sign), id, signs: Array(signs).fill(sign), sentence: 'It moved.' };
    return telemetryOf({ type: 'drift-found', finding }, catalog).map((event) => eventRow(event, now - ago));
  };

  /** As the Functions host records it: the same exception under its own operation. */
  const thrown = (OperationName: string, OuterMessage: string, OperationId: string, ItemCount: number): Row => ({
    TimeGenerated: new Date(now).toISOString(),
    ProblemId: 'Error at tick',
    ExceptionType: 'Error',
    OuterMessage,
    OperationName,
    OperationId,
    ItemCount,
  });

  const good = { metrics: { rows: 412, mix: { high: 40, low: 372 } } };
  const rows: Record<string, Row[]> = {
    AppEvents: [
      ...ran('score', 3 * hour, 'succeeded', good),
      ...ran('score', 2 * hour, 'failed'),
      ...ran('score', hour, 'succeeded', { ...good, startedAt: now - hour + 90_000 }),
      // Reported twice: by a host that died, and by the one that repaired it.
      ...ran('pull', 30 * minute, 'failed'),
      ...ran('pull', 30 * minute, 'failed').map((row) => ({ ...row, TimeGenerated: new Date(now).toISOString() })),
      ...ran('pull', 20 * minute, 'succeeded', { finishBy: now - 25 * minute }),
      ...missed('pull', 10 * minute, 60),
      ...ran('draft', 15 * minute, 'lost'),
      ...drifted('score', '1', 3 * hour, 1),
      ...drifted('score', '1', 2 * hour, 2),
      ...drifted('pull', '2', hour, 1, 'lost'),
      ...tick(3 * minute, 5),
      ...tick(2 * minute, 2),
    ],
    AppExceptions: [
      // Two invocations, each recorded twice by the host; sampling left out two more like the second.
      thrown('tick', 'boom', 'one', 1),
      thrown('tick', 'Exception while executing function: Functions.tick', 'one', 1),
      thrown('tick', 'boom', 'two', 3),
      thrown('tick', 'boom', 'two', 3),
      thrown('http', 'Request body too large. The max request body size is 104857600 bytes.', 'three', 1),
      thrown('', 'A host error has occurred', 'four', 1),
    ],
  };

  let answers: Record<string, Answer>;
  beforeAll(() => {
    const rendered = [...queries.keys()].map((name) => [name, query(name)]);
    // What comes before the functions of series, which only Kusto has.
    const points = query('drift').replace(/;\npoints\n[^;]*$/, ';\npoints');
    answers = runQueries(rows, { ...Object.fromEntries(rendered), points });
  });

  function given(name: string, from: Record<string, Answer> = answers): Row[] {
    const answer = from[name];
    if (!answer || !('rows' in answer)) throw new Error(`${name}: ${JSON.stringify(answer)}`);
    return answer.rows;
  }

  test('all of them run, but for the one that looks for anomalies, which only Kusto can', () => {
    const not = Object.entries(answers).filter(([, answer]) => 'unsupported' in answer);
    expect(not.map(([name]) => name)).toEqual(['drift']);
    expect(JSON.stringify(not)).toContain('series_decompose_anomalies');
  });

  test('the overview puts the worst job first, and counts slots that one row stands for, and what is reported twice once', () => {
    expect(
      given('overview').map(({ job, runs, failed, missed: gone, notDone, state }) => [
        job,
        runs,
        failed,
        gone,
        notDone,
        state,
      ]),
    ).toEqual([
      ['draft', 1, 1, 0, 100, 'lost'],
      ['pull', 2, 1, 60, 98.4, 'failed'],
      ['score', 3, 1, 0, 33.3, 'succeeded'],
    ]);
  });

  test('the choice of jobs, tier and time is kept to', () => {
    const chosen = (choice: Partial<Choice>) =>
      given('overview', runQueries(rows, { overview: query('overview', { ...everything, ...choice }) })).map(
        ({ job }) => job,
      );
    expect(chosen({ job: "'pull','score'" })).toEqual(['pull', 'score']);
    expect(chosen({ tier: "'critical'" })).toEqual(['score']);
    expect(chosen({ timeRange: '> ago(25m)' })).toEqual(['draft', 'pull']);
    expect(chosen({ job: "'no one'" })).toEqual([]);
  });

  test('executions show every run once, newest first, with the reason in words', () => {
    const shown = given('executions').map(({ job, state, why, seconds }) => [job, state, why, seconds]);
    expect(shown).toEqual([
      ['pull', 'failed', "KeyError: 'email'", 10],
      ['pull', 'missed', 'the service was unavailable', null],
      ['draft', 'lost', "KeyError: 'email'", 10],
      ['pull', 'succeeded', '', 10],
      ['score', 'succeeded', '', expect.any(Number)],
      ['score', 'failed', "KeyError: 'email'", 10],
      ['score', 'succeeded', '', 10],
    ]);
  });

  test('failure rates count runs that started', () => {
    const perJob: Record<string, number[]> = {};
    for (const { job, runs, failed } of given('failure-rate')) {
      const [r = 0, f = 0] = perJob[String(job)] ?? [];
      perJob[String(job)] = [r + Number(runs), f + Number(failed)];
    }
    expect(perJob).toEqual({ draft: [1, 1], pull: [2, 1], score: [3, 1] });
  });

  test('errors are counted by class, job and text', () => {
    expect(
      given('errors')
        .map(({ errorClass, job, error, times }) => [errorClass, job, error, times])
        .sort(),
    ).toEqual([
      ['application', 'draft', "KeyError: 'email'", 1],
      ['application', 'pull', "KeyError: 'email'", 1],
      ['application', 'score', "KeyError: 'email'", 1],
    ]);
  });

  test('lateness reports late starts, missed slots and late ends, worst first', () => {
    expect(
      given('lateness').map(({ job, starts, late, missed: gone, overdue }) => [job, starts, late, gone, overdue]),
    ).toEqual([
      ['pull', 2, 0, 60, 1],
      ['score', 3, 1, 0, 0],
      ['draft', 1, 0, 0, 0],
    ]);
    expect(given('start-lag').every(({ usualSeconds }) => Number(usualSeconds) >= 2)).toBe(true);
  });

  test('durations are of attempts that succeeded, memory is reported against its limit', () => {
    expect(given('duration').map(({ job, usualSeconds }) => [job, usualSeconds])).toEqual(
      expect.arrayContaining([
        ['pull', 10],
        ['score', 10],
      ]),
    );
    expect(
      given('resources').map(({ job, memoryMb, memoryLimitMb, memoryPercent, cpuSeconds }) => [
        job,
        memoryMb,
        memoryLimitMb,
        memoryPercent,
        cpuSeconds,
      ]),
    ).toEqual(['draft', 'pull', 'score'].map((name) => [name, 512, 1024, 50, 4]));
  });

  test('metrics are series by job and name, and drift gets them run by run', () => {
    expect(given('metrics').map(({ series, value }) => `${series} ${value}`)).toEqual(
      [1, 2].flatMap(() => ['score mix.high 40', 'score mix.low 372', 'score rows 412']),
    );
    const points = given('points').map(({ job, metric, value }) => [job, metric, value]);
    expect(points).toEqual([
      ...Array(2).fill(['score', 'mix.high', 40]),
      ...Array(2).fill(['score', 'mix.low', 372]),
      ...Array(2).fill(['score', 'rows', 412]),
    ]);
  });

  test('findings are listed once with their newest word, counted by day, and drawn with the usual range of their figure', () => {
    const listed = given('findings').map(({ job, state, metric, metrics, usual, now: is }) => [
      job,
      state,
      metric,
      metrics,
      usual,
      is,
    ]);
    expect(listed).toEqual([
      ['pull', 'open', 'output:a.csv/mail', 1, null, null],
      ['score', 'open', 'rows', 2, 400, 500],
    ]);
    expect(given('finding-days').map(({ job, findings }) => [job, findings])).toEqual([
      ['pull', 1],
      ['score', 1],
    ]);
    expect(
      given('baseline').map(({ job, metric, value, usualLow, usualHigh }) => [job, metric, value, usualLow, usualHigh]),
    ).toEqual(Array(2).fill(['score', 'rows', 412, 380, 420]));
  });

  test('alerts of failed runs are distinguished by tier, once each, and leave out jobs in development', () => {
    expect(given('failed-critical').map(({ job, state, error }) => [job, state, error])).toEqual([
      ['score', 'failed', "KeyError: 'email'"],
    ]);
    expect(given('failed-runs').map(({ job, state, owner, error }) => [job, state, owner, error])).toEqual([
      ['pull', 'failed', 'lee@contoso.com', "KeyError: 'email'"],
      ['pull', 'missed', 'lee@contoso.com', 'the service was unavailable'],
    ]);
  });

  test('no tick for fifteen minutes is a row, a tick within them is none', () => {
    expect(given('no-tick')).toEqual([]);
    const alert = { 'no-tick': query('no-tick') };
    expect(given('no-tick', runQueries({ AppEvents: tick(16 * minute) }, alert))).toEqual([{ ticks: 0 }]);
    expect(given('no-tick', runQueries({}, alert))).toEqual([{ ticks: 0 }]);
    expect(given('heartbeat').reduce((sum, { ticks }) => sum + Number(ticks), 0)).toBe(2);
  });

  test('trouble that passed is no alert, trouble that stays is, and so is a message that no one can read', () => {
    const events = [
      { type: 'trouble', doing: 'watching score.x', error: new Error('once') },
      { type: 'trouble', doing: 'ticking', error: new Error('away') },
      { type: 'trouble', doing: 'ticking', error: new Error('away') },
      { type: 'launch-unreadable', text: 'x' },
    ] as const;
    const reported = events.flatMap((event, index) =>
      telemetryOf(event, catalog).map((one) => eventRow(one, now - index * minute)),
    );
    const found = given('trouble', runQueries({ AppEvents: reported }, { trouble: query('trouble') }));
    expect(found.map(({ category, doing, error, times }) => [category, doing, error, times])).toEqual([
      ['trouble', 'ticking', 'away', 2],
      ['launch-unreadable', 'reading the launch queue', 'a message was set aside', 1],
    ]);
  });

  test('exceptions of our functions count once an invocation, with those that sampling left out, and no caller can cause one; launches that lie set aside as the last tick saw them', () => {
    expect(given('exceptions').map(({ OperationName, times }) => [OperationName, times])).toEqual([['tick', 4]]);
    expect(given('poison').map(({ setAside }) => setAside)).toEqual([2]);
  });

  test('of each secret the newest word counts, the most urgent first', () => {
    const expiring = (secret: string, days: number, ago: number) =>
      telemetryOf(
        { type: 'secret-expiring', secret, jobs: ['score', 'pull'], expiresOn: now + days * day, days },
        catalog,
      ).map((one) => eventRow(one, now - ago));
    const reported = [...expiring('crm', 7, day), ...expiring('crm', 6, 0), ...expiring('mail', -1, 0)];
    const found = given(
      'secret-expiry',
      runQueries({ AppEvents: reported }, { 'secret-expiry': query('secret-expiry') }),
    );
    expect(found.map(({ secret, problem, days, jobs }) => [secret, problem, days, jobs])).toEqual([
      ['mail', 'expired', -1, 'score, pull'],
      ['crm', 'expiring', 6, 'score, pull'],
    ]);
  });

  test('the parameters of the workbook offer the jobs and tiers that there are', () => {
    expect(given('jobs')).toEqual([{ job: 'draft' }, { job: 'pull' }, { job: 'score' }]);
    expect(given('tiers')).toEqual([{ tier: 'critical' }, { tier: 'standard' }]);
  });
});
