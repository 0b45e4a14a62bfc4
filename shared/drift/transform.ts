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
