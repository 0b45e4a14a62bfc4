import type { Instant } from '../instant.ts';
import type { MetricValue } from '../run/attempt.ts';
import type { MetricKind } from './transform.ts';

/** What the run of one slot has left of one metric, as it is kept. */
export interface Point {
  slot: Instant;
  value: MetricValue;
}

/** One run's value of one metric. */
export interface Reading {
  /** Whole steps (days, hours, slots) since any origin: gives the weekday and the gaps. */
  step: number;
  value: number;
  /** Of a share: how many rows it is a share of. */
  denominator?: number | undefined;
}

/** One run's rows by category. */
export interface MixReading {
  step: number;
  value: Readonly<Record<string, number>>;
}

/** What distinguishes one metric from another when it is judged. */
export interface Question {
  kind: Exclude<MetricKind, 'mix'>;
  /** Steps in a season: 7 for daily runs, 24 for hourly ones, 0 for none. */
  period: number;
  /** The chance of a false alarm this look may take. */
  alpha: number;
  /** Job, metric and run: the same again gives the same answer. */
  seed: string;
}

/** A change that chance alone would hardly give. */
export interface Suspicion {
  kind: 'shift_up' | 'shift_down' | 'var_up' | 'var_down' | 'mix';
  /** How many of the latest readings lie beyond the change. */
  length: number;
  /** The chance of seeing this without a change, in one look. */
  p: number;
}

/** The 90 oldest and 45 latest readings since the pin: January stays in the comparison, and the cost is bounded. */
export const oldest = 90;
export const latest = 45;

export function sample<T>(readings: readonly T[]): readonly T[] {
  const n = readings.length;
  return n <= oldest + latest ? readings : [...readings.slice(0, oldest), ...readings.slice(n - latest)];
}
