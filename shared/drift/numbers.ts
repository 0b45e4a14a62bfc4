import { median, spread } from './median.ts';
import { categories, sharesOf } from './mix.ts';
import type { Point } from './reading.ts';
import type { Numbers } from './sentence.ts';
import { type MetricKind, transform } from './transform.ts';

export type { Numbers };

type About = Pick<Numbers, 'metric' | 'kind' | 'label' | 'unit' | 'detail'>;

/** Before and after in the unit of the metric. The range is the 5th to the 95th percentile of what is before. */
export function numbersOf(about: About, kind: MetricKind, before: readonly Point[], after: readonly Point[]): Numbers {
  const was = before.map(({ value }) => Number(value)).sort((a, b) => a - b);
  const is = after.map(({ value }) => Number(value));
  const at = (share: number) => was[Math.min(was.length - 1, Math.max(0, Math.round(share * (was.length - 1))))] ?? 0;
  return {
    ...about,
    share: kind === 'share',
    before: was.length > 0 ? median(was) : 0,
    low: at(0.05),
    high: at(0.95),
    after: is.length > 0 ? median(is) : 0,
    ...(about.kind.startsWith('var') && is.length > 0 && { latest: [Math.min(...is), Math.max(...is)] as const }),
  };
}

/** Of a mix: the category whose share moved most. */
export function mixNumbers(about: About, before: readonly Point[], after: readonly Point[]): Numbers {
  const rows = (points: readonly Point[]) =>
    points.flatMap(({ value }) => (typeof value === 'number' ? [] : [{ step: 0, value }]));
  const [was, is] = [rows(before), rows(after)];
  const names = categories([...was, ...is]);
  const shares = (of: typeof was, i: number) => of.map(({ value }) => sharesOf(value, names)[i] ?? 0);
  const moved = names.map((category, i) => {
    const [a, b] = [shares(was, i), shares(is, i)];
    return { category, a, from: a.length > 0 ? median(a) : 0, to: b.length > 0 ? median(b) : 0 };
  });
  const [most] = moved.sort((x, y) => Math.abs(y.to - y.from) - Math.abs(x.to - x.from));
  const sorted = (most?.a ?? []).toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const { category = '', from = 0, to = 0 } = most ?? {};
  return { ...about, share: true, category, before: from, low: at(0.05), high: at(0.95), after: to };
}

/** Whether a metric that drifted lies inside its usual range again: all of these runs within 2.5 deviations. */
export function isBack(kind: MetricKind, reference: readonly Point[], now: readonly Point[]): boolean {
  if (kind === 'mix' || reference.length < 8) return false;
  const scale = (points: readonly Point[]) => points.map(({ value }) => transform(Number(value), kind));
  const was = scale(reference);
  const centre = median(was);
  const s = spread(was, centre);
  const away = scale(now).map((value) => (value - centre) / (s || 1e-12));
  // All on one side of the middle is a smaller shift, not a return.
  const sides = away.filter((z) => z > 0).length;
  return away.every((z) => Math.abs(z) <= 2.5) && (s === 0 || (sides > 0 && sides < away.length));
}
