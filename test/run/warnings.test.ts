import { describe, expect, test } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import type { Run } from '../../shared/run/run.ts';
import { warnings } from '../../shared/run/warnings.ts';
import { job, seven, started } from '../support/pipeline/cast.ts';

const once = job('score');

describe('warnings of a finished run', () => {
  const done = (more: Partial<Run>) =>
    started('score', { state: 'succeeded', startedAt: seven, endedAt: seven + minute, ...more });
  const watched = job('score', {
    run: 'mustRunAtLeast: 2m',
    more: 'metrics: { rows: { min: 1, max: 10 }, mean: { drift: normal }, free: { drift: off } }',
  });

  test('a run as expected has none', () => {
    expect(warnings(done({}), once)).toEqual([]);
    expect(warnings(done({ endedAt: seven + 3 * minute, metrics: { rows: 5, mean: 1 } }), watched)).toEqual([]);
  });

  test('late, after its deadline, too short, and each metric out of bounds or missing', () => {
    const run = done({
      startedAt: seven + 61 * second,
      endedAt: seven + 62 * second,
      finishBy: seven,
      metrics: { rows: 0 },
    });
    expect(warnings(run, watched)).toEqual([
      'started 61 s late',
      'finished at 2026-11-20T07:01:02Z, due by 2026-11-20T07:00:00Z',
      'took 1000 ms; it must run at least 120000 ms',
      'metric rows is 0, expected at least 1',
      'metric mean is missing',
    ]);
    expect(warnings(done({ metrics: { rows: 11, mean: 1 }, endedAt: seven + 2 * minute }), watched)).toEqual([
      'metric rows is 11, expected at most 10',
    ]);
  });

  test('names that every object has are metrics like any other', () => {
    const odd = job('score', { more: 'metrics: { valueOf: { min: 1 } }' });
    expect(warnings(done({}), odd)).toEqual(['metric valueOf is missing']);
  });

  test('a run that failed is not blamed for being short or for its metrics', () => {
    expect(warnings(done({ state: 'failed' }), watched)).toEqual([]);
  });

  test('runs that people ask for, or that fill the past, are not late', () => {
    for (const trigger of ['manual', 'rerun', 'backfill'] as const) {
      expect(warnings(done({ trigger, startedAt: seven + 30 * minute, endedAt: seven + 31 * minute }), once)).toEqual(
        [],
      );
    }
  });

  test('an output that could not be kept is reported', () => {
    const outputs = [{ path: 'a.csv', bytes: null, sha256: null, rows: null, problem: 'was not written' }];
    expect(warnings(done({ outputs }), once)).toEqual(['output a.csv: was not written']);
  });
});
