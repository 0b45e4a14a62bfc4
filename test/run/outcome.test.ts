import { describe, expect, test } from 'vitest';
import { hour, minute, second } from '../../shared/instant.ts';
import type { Job } from '../../shared/job/job.ts';
import { type AttemptResult, attemptResult, type ErrorClass } from '../../shared/run/attempt.ts';
import { conclude, type Ending } from '../../shared/run/outcome.ts';
import type { Attempt, Run } from '../../shared/run/run.ts';
import { runCodec } from '../../shared/store/runs.ts';
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
const cancelled = started('score', { cancel: { by: 'dana', why: 'wrong day', at: seven } });

describe('how an attempt ends', () => {
  test.each<[string, Ending, (string | null)[]]>([
    ['a good result', result('succeeded'), ['succeeded', 'succeeded', null]],
    ['a failure', result('failed'), ['failed', 'failed', 'application']],
    ['a time-out', result('timed-out', 'timeout'), ['timed-out', 'timed-out', 'timeout']],
    ['stopped, though no one cancelled', result('stopped'), ['failed', 'failed', 'infrastructure']],
    ['refused', { kind: 'refused', class: 'configuration', message: 'no' }, ['failed', 'failed', 'configuration']],
    [
      'refused by the platform',
      { kind: 'refused', class: 'throttled', message: 'no' },
      ['retrying', 'abandoned', 'throttled'],
    ],
    ['out of memory', { kind: 'out-of-memory' }, ['failed', 'failed', 'memory']],
    ['lost', { kind: 'lost', message: 'gone' }, ['lost', 'lost', 'lost']],
    ['overdue', { kind: 'overdue', message: 'gone' }, ['timed-out', 'timed-out', 'timeout']],
    ['unreadable', { kind: 'unreadable', message: 'what?' }, ['failed', 'failed', 'infrastructure']],
    ['abandoned', { kind: 'abandoned' }, ['retrying', 'abandoned', null]],
  ])('%s', (_, ending, expected) => {
    const run = conclude(started(), ending, once, now, 0.5);
    expect(stateOf(run)).toEqual(expected);
    expect(run.endedAt === null).toBe(run.state === 'retrying');
  });

  test('a result gives the run its times, and a later attempt does not move the start', () => {
    const first = conclude(started(), result('failed', 'network'), patient, now, 0.5);
    expect(first).toMatchObject({ state: 'retrying', startedAt: seven + second, nextAttemptAt: now + minute });
    const attempt = { ...(first.attempts[0] as Attempt), number: 2, state: 'running' as const };
    const again: Run = { ...first, state: 'running', attempts: [...first.attempts, attempt] };
    const later = resultOf(id, now + minute, now + 2 * minute, 'succeeded');
    const second_ = conclude(again, { kind: 'result', result: later }, patient, now + 3 * minute, 0.5);
    expect(second_).toMatchObject({ state: 'succeeded', startedAt: seven + second, endedAt: now + 2 * minute });
    expect(second_.nextAttemptAt).toBeNull();
  });

  test('what began and was never heard of again has a start; what never began has none', () => {
    expect(conclude(started(), { kind: 'lost', message: '' }, once, now, 0).startedAt).toBe(seven);
    expect(conclude(started(), { kind: 'abandoned' }, once, now, 0).startedAt).toBeNull();
    const refused: Ending = { kind: 'refused', class: 'syntax', message: '' };
    expect(conclude(started(), refused, once, now, 0).startedAt).toBeNull();
  });

  /** A platform that refuses every start, from the first on, until the run is over or this many hours have passed. */
  function refuseAll(
    run: Run,
    hours: number,
    more: Partial<Extract<Ending, { kind: 'refused' }>> = {},
  ): [Run, number[]] {
    const refused: Ending = { kind: 'refused', class: 'throttled', message: 'too many requests', ...more };
    const waits: number[] = [];
    let [current, at] = [run, seven];
    while (at < seven + hours * hour) {
      const number = current.attempts.length + 1;
      const attempt = { ...(started().attempts[0] as Attempt), number, startedAt: at, handle: null };
      const attempts = [...current.attempts, attempt];
      current = conclude({ ...current, state: 'starting', attempts }, refused, once, at, 0.5);
      if (current.nextAttemptAt === null) break;
      waits.push((current.nextAttemptAt - at) / second);
      at = current.nextAttemptAt;
    }
    return [current, waits];
  }

  test('what the platform will not start waits longer each time, for six hours, says why, and uses up no attempt', () => {
    const [early, waits] = refuseAll(started('score', { attempts: [] }), 2);
    expect(waits.slice(0, 8)).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
    expect(early).toMatchObject({ state: 'retrying', startedAt: null });
    expect(early.reason).toBe(
      'waits for the platform since 2026-11-20T07:00:00Z, at most until 2026-11-20T13:00:00Z: too many requests',
    );
    const [run, all] = refuseAll(started('score', { attempts: [] }), 12);
    expect(all.reduce((sum, wait) => sum + wait, 0)).toBeCloseTo((6 * hour) / second);
    expect(run).toMatchObject({ state: 'failed', startedAt: null, reason: null });
    expect(run.attempts.at(-1)).toMatchObject({
      errorClass: 'throttled',
      error: 'given up after 6 h of waiting for the platform: too many requests',
    });
    // All of it fits into a row.
    expect(runCodec.encode(run).attempts).toEqual(expect.any(String));
  });

  test('a slot that must start by an instant is tried until then, a last time at it, and is missed', () => {
    const [run, waits] = refuseAll(started('score', { attempts: [], startBy: seven + 100 * second }), 12);
    expect(waits).toEqual([10, 20, 40, 30]);
    expect(run).toMatchObject({ state: 'missed', reasonCode: 'start-within' });
    expect(run.reason).toBe('could not start by 2026-11-20T07:01:40Z: too many requests');
  });

  test('what the platform asks to wait for is waited for, as long as the slot is worth it', () => {
    const [, waits] = refuseAll(started('score', { attempts: [] }), 1, { retryAfterMs: 30 * minute });
    expect(waits.slice(0, 2)).toEqual([1_800, 1_800]);
    const [run, few] = refuseAll(started('score', { attempts: [], startBy: seven + 10 * minute }), 1, {
      retryAfterMs: 30 * minute,
    });
    expect(few).toEqual([600]);
    expect(run.state).toBe('missed');
  });

  test('a week of waiting for a slot that is worth it still fits into a row', () => {
    const startBy = seven + 7 * 24 * hour;
    const [run] = refuseAll(started('score', { attempts: [], startBy }), 200, { message: 'x'.repeat(400) });
    expect(run.state).toBe('missed');
    expect(run.attempts.length).toBeLessThan(130);
    expect(runCodec.encode(run).attempts).toEqual(expect.any(String));
  });

  test('a run without an attempt cannot end one', () => {
    expect(() => conclude(started('score', { attempts: [] }), { kind: 'abandoned' }, once, now, 0)).toThrow(
      'score.20261120T070000Z has no attempt',
    );
  });
});

describe('what an attempt says of its failure', () => {
  const failed = (errorClass: ErrorClass, more: Partial<NonNullable<AttemptResult['error']>>): Ending => {
    const plain = resultOf(id, seven + second, seven + minute, 'failed', errorClass);
    return {
      kind: 'result',
      result: attemptResult.parse({ ...plain, error: { ...plain.error, ...more } }),
    };
  };

  test('kind, fingerprint and host reach the attempt, and are absent where the shim is of one version back', () => {
    const more = { kind: 'dns', fingerprint: '0123456789abcdef', host: 'crm.contoso.com' };
    expect(conclude(started(), failed('network', more), once, now, 0).attempts[0]).toMatchObject({
      errorKind: 'dns',
      fingerprint: '0123456789abcdef',
      host: 'crm.contoso.com',
    });
    const old = conclude(started(), failed('network', {}), once, now, 0).attempts[0];
    for (const key of ['errorKind', 'errorParts', 'fingerprint', 'host', 'suspect'])
      expect(old).not.toHaveProperty(key);
  });

  test('one part that retry.on names is enough, unless a part is beyond help', () => {
    const network = job('score', { retry: 'attempts: 3, on: [network]' });
    const stateFor = (parts: ErrorClass[], of = network) =>
      conclude(started(), failed(parts[0] ?? 'application', { parts }), of, now, 0.5).state;
    expect(stateFor(['application', 'network'])).toBe('retrying');
    expect(stateFor(['application', 'server'])).toBe('failed');
    expect(stateFor(['network', 'authorization'])).toBe('failed');
    expect(stateFor(['network', 'authorization'], patient)).toBe('failed');
    const both = job('score', { retry: 'attempts: 3, on: [network, authorization]' });
    expect(stateFor(['network', 'authorization'], both)).toBe('retrying');
  });

  test('a failure that is not tried again says why', () => {
    const why = (ending: Ending, of: Job | undefined) => conclude(started(), ending, of, now, 0).attempts[0]?.noRetry;
    expect(why(failed('authorization', {}), patient)).toBe('retry.on does not name authorization');
    expect(why(failed('network', {}), once)).toBe('retry.attempts is 1');
    expect(why(failed('network', {}), undefined)).toBe('the job is gone');
    expect(why(failed('network', {}), patient)).toBeUndefined();
    expect(why(result('succeeded'), once)).toBeUndefined();
  });

  test('a success whose log shows an unhandled error stays one, and warns', () => {
    const suspect = { message: 'ValueError: thread died', detail: '', fingerprint: 'ab12' };
    const good = resultOf(id, seven + second, seven + minute, 'succeeded');
    const ending: Ending = { kind: 'result', result: attemptResult.parse({ ...good, suspect }) };
    const run = conclude(started(), ending, once, now, 0);
    expect(run).toMatchObject({
      state: 'succeeded',
      attempts: [{ suspect: 'ValueError: thread died', fingerprint: 'ab12' }],
      warnings: ['exit code 0, yet the log shows an error: ValueError: thread died'],
    });
  });
});

describe('cancelling', () => {
  test.each<[string, Ending]>([
    ['stopped', result('stopped')],
    ['failed', result('failed', 'network')],
    ['lost', { kind: 'lost', message: '' }],
    ['abandoned', { kind: 'abandoned' }],
    ['refused', { kind: 'refused', class: 'network', message: '' }],
  ])('wins over %s, and nothing is tried again', (_, ending) => {
    const run = conclude(cancelled, ending, patient, now, 0.5);
    expect(run).toMatchObject({ state: 'cancelled', reason: 'wrong day', nextAttemptAt: null });
  });

  test('comes too late for a run that succeeded', () => {
    expect(conclude(cancelled, result('succeeded'), patient, now, 0.5).state).toBe('succeeded');
  });
});
