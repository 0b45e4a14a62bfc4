import { clip, deviation, median, spread } from './median.ts';
import type { Question, Reading } from './reading.ts';
import { detrend, phase, season } from './season.ts';
import { transform } from './transform.ts';
import { memoryOf, whiten } from './whiten.ts';

/**
 * Whether a metric moved at a run that is already suspected, such as the input at the change of an output. One question
 * instead of a scan over all runs, so it may be answered at 1 in 1,000 (t of 3.3) and needs two runs only.
 */
export function movedAt(
  readings: readonly Reading[],
  at: number,
  { kind, period }: Omit<Question, 'alpha' | 'seed'>,
): boolean {
  const after = readings.filter(({ step }) => step >= at).length;
  const before = readings.length - after;
  if (after < 2 || before < 8) return false;
  const steps = Int32Array.from(readings, ({ step }) => step);
  const raw = Float64Array.from(readings, (reading) => transform(reading.value, kind, reading.denominator));
  const effect = season(raw, steps, period);
  const x = detrend(effect ? raw.map((value, i) => value - (effect[phase(steps, i, period)] ?? 0)) : raw, steps);
  const reference = x.subarray(0, before);
  const centre = median(reference);
  const scale = spread(reference, centre) || deviation(reference);
  if (!(scale > 0)) return x.subarray(before).every((value) => value !== centre);
  const w = x.map((value) => clip((value - centre) / scale, 6));
  const white = whiten(w, steps, memoryOf(w.slice(0, before), steps));
  const mean = (part: Float64Array) => part.reduce((sum, value) => sum + value, 0) / part.length;
  const [a, b] = [white.values.subarray(0, before), white.values.subarray(before)];
  const s = Math.max(deviation(a), 0.3);
  return Math.abs(mean(b) - mean(a)) / (s * Math.sqrt(1 / before + 1 / after)) > 3.3;
}
