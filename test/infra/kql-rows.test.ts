import { beforeAll, describe, expect, test } from 'vitest';
import { day, minute } from '../../shared/instant.ts';
import { telemetryOf } from '../../shared/telemetry/translate.ts';
import { type Choice, everything, queries, render } from '../support/infra/kql.ts';
import { catalog, now, rows, tick } from '../support/infra/kql-history.ts';
import { type Answer, eventRow, prepare, type Row, runQueries } from '../support/infra/kql-rows.ts';

const query = (name: string, choice: Choice = everything) => render(queries.get(name) ?? `no query ${name}`, choice);

const missing = prepare();
if (missing && process.env.CI) throw new Error(`queries cannot be run: ${missing}`);
if (missing) console.warn(`not tested is what the queries give for rows: ${missing}`);

describe.skipIf(missing)('what the queries give for rows', () => {
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
    const choices: Record<string, Partial<Choice>> = {
      jobs: { job: "'pull','score'" },
      tier: { tier: "'critical'" },
      time: { timeRange: '> ago(25m)' },
      none: { job: "'no one'" },
    };
    const asked = Object.entries(choices).map(([name, one]) => [name, query('overview', { ...everything, ...one })]);
    const found = runQueries(rows, Object.fromEntries(asked));
    const chosen = (name: string) => given(name, found).map(({ job }) => job);
    expect(chosen('jobs')).toEqual(['pull', 'score']);
    expect(chosen('tier')).toEqual(['score']);
    expect(chosen('time')).toEqual(['draft', 'pull']);
    expect(chosen('none')).toEqual([]);
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
