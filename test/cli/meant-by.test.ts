import { describe, expect, it } from 'vitest';
import { meantBy } from '../../shared/api/meant.ts';
import { minute } from '../../shared/instant.ts';
import { newRun, type Run, type Trigger } from '../../shared/run/run.ts';
import { seven, started } from '../support/pipeline/cast.ts';

/** A run of a slot some minutes before seven, started some minutes after it. */
function run(slot: number, start: number | null, state: Run['state'], trigger: Trigger = 'schedule'): Run {
  const base = newRun('slow', seven + slot * minute, trigger, seven, { state });
  const attempts =
    start === null ? [] : started('slow').attempts.map((one) => ({ ...one, startedAt: seven + start * minute }));
  return { ...base, attempts };
}

describe("a job's name means", () => {
  it('the run under way, also when it is the rerun of an older slot', () => {
    const rerun = run(-60, 5, 'running', 'rerun');
    expect(meantBy([run(0, 0, 'succeeded'), rerun])).toBe(rerun);
    expect(meantBy([run(0, 0, 'failed'), { ...rerun, state: 'retrying' }])?.trigger).toBe('rerun');
  });

  it('of several under way the one that started last', () => {
    const [old, rerun] = [run(0, 0, 'running'), run(-60, 5, 'running', 'rerun')];
    expect(meantBy([old, rerun])).toBe(rerun);
    expect(meantBy([run(3, 3, 'running'), run(0, 1, 'running')])?.slot).toBe(seven + 3 * minute);
  });

  it('else the one that started last, whatever its slot', () => {
    const rerun = run(-60, 5, 'failed', 'rerun');
    expect(meantBy([run(4, null, 'skipped'), run(3, null, 'missed'), run(0, 0, 'succeeded'), rerun])).toBe(rerun);
  });

  it('what a person has just asked for, while it waits for its start', () => {
    const asked = run(0, null, 'queued', 'rerun');
    expect(meantBy([run(1, null, 'queued'), asked, run(-1, -1, 'succeeded')])).toBe(asked);
  });

  it('not the slot of the coming minute, unless nothing else has been', () => {
    const coming = run(1, null, 'queued');
    const past = run(-1, -1, 'succeeded');
    expect(meantBy([coming, past])).toBe(past);
    expect(meantBy([coming])).toBe(coming);
    expect(meantBy([run(0, null, 'missed')])).toBeUndefined();
  });
});
