import { learning } from './budget.ts';
import { median, spread } from './median.ts';
import { transform } from './transform.ts';

/** What a metric must keep to, without statistics. A breach is reported at the run that shows it. */
export interface Limits {
  min?: number | undefined;
  max?: number | undefined;
  required?: boolean | undefined;
  oneOf?: readonly string[] | undefined;
}

export interface Breach {
  kind: 'missing' | 'limit' | 'type' | 'not-a-number' | 'zero' | 'value';
  /** A sentence part: what was seen and what was expected. */
  detail: string;
}

/** How often a metric was there, before the runs in which it is now absent. */
export interface Presence {
  seen: number;
  missed: number;
  absentNow: number;
}

/**
 * Whether a metric that is absent in its latest `absentNow` runs is missing: 1 in 2,000 at the rate at which it was
 * absent before. One that was always there is missing at its second absence; one that often skips runs has longer.
 */
export function isMissing({ seen, missed, absentNow }: Presence): boolean {
  if (seen < 8 || absentNow < 2) return false;
  const rate = (missed + 0.5) / (seen + missed + 1);
  return absentNow === 2 && missed === 0 && seen >= learning ? true : rate ** absentNow <= 1 / 2000;
}

/** Zero of a count that never was zero and whose spread makes zero implausible, such as rows. */
export function isEmpty(value: number, earlier: readonly number[]): boolean {
  if (value !== 0 || earlier.length < 8 || earlier.some((count) => count <= 0)) return false;
  const roots = earlier.map((count) => transform(count, 'count'));
  const centre = median(roots);
  return (centre - transform(0, 'count')) / Math.max(0.5, spread(roots, centre)) > 6;
}

/** Checks one run's value of one metric against what its owner declared. */
export function limitBreach(value: number | string | undefined, limits: Limits): Breach | undefined {
  if (value === undefined) return limits.required ? { kind: 'missing', detail: 'is required and absent' } : undefined;
  if (typeof value === 'string') {
    if (!limits.oneOf || limits.oneOf.includes(value)) return undefined;
    return { kind: 'value', detail: `is "${value}", expected one of ${limits.oneOf.join(', ')}` };
  }
  if (!Number.isFinite(value)) return { kind: 'not-a-number', detail: `is ${value}, expected a number` };
  if (limits.min !== undefined && value < limits.min) {
    return { kind: 'limit', detail: `is ${value}, expected at least ${limits.min}` };
  }
  if (limits.max !== undefined && value > limits.max) {
    return { kind: 'limit', detail: `is ${value}, expected at most ${limits.max}` };
  }
  return undefined;
}
