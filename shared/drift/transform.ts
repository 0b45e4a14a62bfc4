export type MetricKind = 'gauge' | 'count' | 'share' | 'mix';

/**
 * Puts a value on a scale where its spread hardly depends on its level: Anscombe's root for counts, the arcsine root for
 * shares (with the counts behind them where those are known), a gauge as it is.
 */
export function transform(value: number, kind: MetricKind, denominator?: number): number {
  // A negative count is a bug of the job; it is judged all the same.
  if (kind === 'count') return value < 0 ? -Math.sqrt(3 / 8 - value) : Math.sqrt(value + 3 / 8);
  if (kind === 'share' && value >= 0 && value <= 1) {
    if (denominator === undefined || !(denominator > 0)) return Math.asin(Math.sqrt(value));
    return Math.asin(Math.sqrt((value * denominator + 3 / 8) / (denominator + 3 / 4)));
  }
  return value;
}

/**
 * Whether a gauge, such as a cost or a duration, is to be judged by its logarithm: its early values are positive, spread
 * by more than a seventh of their mean, and lean to the right as they do not on the log scale. The later values have no
 * say, else a rise would be taken for a lean.
 */
export function leansRight(values: ArrayLike<number>): boolean {
  const early = Array.from(values).slice(0, Math.max(12, Math.floor(0.6 * values.length)));
  if (early.length < 12 || Array.from(values).some((value) => !(value > 0))) return false;
  const [mean, deviation, lean] = moments(early);
  const [, , logLean] = moments(early.map(Math.log));
  return deviation > mean / 7 && lean > 0.3 && Math.abs(logLean) < lean;
}

/** Mean, standard deviation, skewness. */
function moments(values: readonly number[]): [number, number, number] {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
  const lean = values.reduce((sum, value) => sum + (value - mean) ** 3, 0) / n / (deviation ** 3 || 1);
  return [mean, deviation, lean];
}
