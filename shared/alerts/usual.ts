import { minute } from '../instant.ts';
import type { Run } from '../run/run.ts';

/** What is usual for a job, by its recent successes: middle and range, or undefined while there are too few. */
export interface Usual {
  /** Of how many runs. */
  runs: number;
  durationMs: Spread | null;
  metrics: Record<string, Spread>;
}

export interface Spread {
  median: number;
  /** The middle eight tenths of the values lie between these. */
  low: number;
  high: number;
}

/** Fewer say nothing. */
const fewest = 5;
/** A run that took this many times its usual time is too long; short jobs get some minutes more. */
const longFactor = 3;
const longestShort = 2 * minute;

/** @param runs newest first, of any state; only successes count, at most 30 of them */
export function usualOf(runs: readonly Run[]): Usual {
  const good = runs.filter(({ state }) => state === 'succeeded').slice(0, 30);
  const names = new Set(good.flatMap(({ metrics }) => Object.keys(metrics)));
  const metrics: Usual['metrics'] = Object.create(null);
  for (const name of names) {
    const values = good.map(({ metrics: of }) => of[name]).filter((value) => typeof value === 'number');
    const found = spread(values);
    if (found) metrics[name] = found;
  }
  return { runs: good.length, durationMs: spread(good.map(durationOf).filter((ms) => ms !== null)), metrics };
}

export function durationOf({ startedAt, endedAt }: Run): number | null {
  return startedAt === null || endedAt === null ? null : endedAt - startedAt;
}

/** How long a run of this job may take before that is worth a word, ms; null: nothing is usual yet. */
export function tooLongAfter({ durationMs }: Usual): number | null {
  return durationMs && Math.max(durationMs.median * longFactor, durationMs.high + longestShort);
}

/** Linear interpolation between closest ranks, as NumPy's default (Hyndman and Fan 1996, definition 7). */
function spread(values: number[]): Spread | null {
  if (values.length < fewest) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const [below = 0, above = below] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return below + (above - below) * (place - Math.floor(place));
  };
  return { median: at(0.5), low: at(0.1), high: at(0.9) };
}
