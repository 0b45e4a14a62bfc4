import { describe, expect, test } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import { conclude, type Ending } from '../../shared/run/outcome.ts';
import { mayRetry, retryDelay } from '../../shared/run/retry.ts';
import type { Attempt, Run } from '../../shared/run/run.ts';
import { job, seven, started } from '../support/pipeline/cast.ts';
import { resultOf } from '../support/pipeline/executor.ts';

const patient = job('score', { retry: 'attempts: 3, delay: 1m, backoff: constant' });
const once = job('score');
const now = seven + 5 * minute;
const id = { job: 'score', run: '20261120T070000Z', attempt: 1 };
const result = (outcome: Parameters<typeof resultOf>[3], errorClass?: Parameters<typeof resultOf>[4]): Ending => ({
  kind: 'result',
  result: resultOf(id, seven + second, seven + minute, outcome, errorClass),
});
const stateOf = ({ state, attempts }: Run) => [state, attempts.at(-1)?.state, attempts.at(-1)?.errorClass];

describe('trying again', () => {
  test.each(['network', 'throttled', 'server', 'infrastructure', 'lost'] as const)('helps against %s', (errorClass) => {
    expect(mayRetry(patient.retry, started(), errorClass)).toBe(true);
  });

  test.each([
    'syntax',
    'module',
    'configuration',
    'authorization',
  ] as const)('does not help against %s', (errorClass) => {
    expect(mayRetry(patient.retry, started(), errorClass)).toBe(false);
  });

  test('what was stopped without a cancel, or left a result no one can read, is tried again', () => {
    expect(conclude(started(), result('stopped'), patient, now, 0.5).state).toBe('retrying');
    expect(conclude(started(), { kind: 'unreadable', message: '' }, patient, now, 0.5).state).toBe('retrying');
  });

  test('ends with the last attempt; abandoned ones do not count', () => {
    const attempt = started().attempts[0] as Attempt;
    const past = (...states: Attempt['state'][]): Run =>
      started('score', { attempts: [...states.map((state) => ({ ...attempt, state })), attempt] });
    const stateAfter = (run: Run) => conclude(run, { kind: 'lost', message: '' }, patient, now, 0.5).state;
    expect(stateAfter(past('failed'))).toBe('retrying');
    expect(stateAfter(past('failed', 'failed'))).toBe('lost');
    expect(stateAfter(past('abandoned', 'abandoned', 'failed'))).toBe('retrying');
  });

  test('a run whose attempts no one begins is given up after the fifth', () => {
    const attempt = { ...(started().attempts[0] as Attempt), state: 'abandoned' as const };
    const run = (count: number) => started('score', { attempts: Array(count).fill(attempt) });
    expect(conclude(run(4), { kind: 'abandoned' }, once, now, 0)).toMatchObject({
      state: 'retrying',
      nextAttemptAt: now,
    });
    expect(stateOf(conclude(run(5), { kind: 'abandoned' }, once, now, 0))).toEqual([
      'lost',
      'abandoned',
      'infrastructure',
    ]);
  });

  test('a job that is gone is not tried again', () => {
    expect(conclude(started(), result('failed', 'network'), undefined, now, 0.5).state).toBe('failed');
  });

  test('waits within a quarter of the delay, doubled each time, never beyond the longest and its quarter', () => {
    const retry = job('x', { retry: 'attempts: 9, delay: 30s, maxDelay: 5m, backoff: exponential' }).retry;
    expect([1, 2, 3, 4, 5, 9].map((begun) => retryDelay(retry, begun, 0.5) / second)).toEqual([
      30, 60, 120, 240, 300, 300,
    ]);
    expect(retryDelay(retry, 1, 0)).toBe(22_500);
    expect(retryDelay(retry, 1, 0.999999)).toBe(37_500);
    expect(retryDelay(retry, 1_000, 0.999999)).toBe(375_000);
    expect(retryDelay(patient.retry, 9, 0.5)).toBe(minute);
  });
});
