import { median, spread } from './median.ts';

/**
 * What each phase of the period (weekday, hour) adds to the level; `undefined` where the series is too short or the
 * phases explain too little of its spread. The level is a running median over one period, so a shift is not mistaken
 * for a season. `steps[i]` counts whole steps (days, hours) from any origin.
 */
export function season(values: Float64Array, steps: Int32Array, period: number): Float64Array | undefined {
  const n = values.length;
  if (period < 2 || n < 3 * period) return undefined;
  const half = period >> 1;
  const rest = new Float64Array(n);
  for (let i = 0; i < n; i++) rest[i] = at(values, i) - median(values.subarray(Math.max(0, i - half), i + half + 1));
  const phases: number[][] = Array.from({ length: period }, () => []);
  for (let i = 0; i < n; i++) phases[phase(steps, i, period)]?.push(at(rest, i));
  const effect = Float64Array.from(phases, (of) => (of.length >= 2 ? median(of) : 0));
  const centre = median(effect);
  for (let i = 0; i < period; i++) effect[i] = at(effect, i) - centre;
  const left = Float64Array.from(rest, (value, i) => value - at(effect, phase(steps, i, period)));
  const worth = n < 5 * period ? 0.75 : 0.82;
  return spread(left) < worth * spread(rest) ? effect : undefined;
}

export function phase(steps: Int32Array, i: number, period: number): number {
  return (((steps[i] ?? 0) % period) + period) % period;
}

/**
 * Takes a straight line away from a series that grew from its first runs on: a metric born growing is not drift, a flat
 * one that begins to grow is. The line is fitted on all but the last two runs.
 */
export function detrend(values: Float64Array, steps: Int32Array): Float64Array {
  const n = values.length;
  const first = Math.max(10, Math.min(30, Math.floor(0.6 * n)));
  if (n < first || Math.abs(line(values, steps, first).correlation) <= 0.85) return values;
  const { slope, intercept } = line(values, steps, n - 2);
  return values.map((value, i) => value - intercept - slope * (steps[i] ?? 0));
}

function line(values: Float64Array, steps: Int32Array, n: number) {
  let meanX = 0;
  let meanY = 0;
  for (let i = 0; i < n; i++) {
    meanX += (steps[i] ?? 0) / n;
    meanY += at(values, i) / n;
  }
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (let i = 0; i < n; i++) {
    const x = (steps[i] ?? 0) - meanX;
    const y = at(values, i) - meanY;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  const slope = xx > 0 ? xy / xx : 0;
  return { slope, intercept: meanY - slope * meanX, correlation: xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0 };
}

function at(values: Float64Array, i: number): number {
  return values[i] ?? 0;
}
