import { learning } from './budget.ts';
import { median, spread } from './median.ts';
import { transform } from './transform.ts';

/** Breaches that stand beside what a metric's values are compared with. */
export const breachKinds = ['limit', 'value', 'lost', 'new', 'renamed', 'retyped'] as const;
export type BreachKind = (typeof breachKinds)[number];

export function isBreach(kind: string): kind is BreachKind {
  return breachKinds.some((one) => one === kind);
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
