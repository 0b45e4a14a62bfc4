import { drawsFor } from './chance.ts';
import { deviation } from './median.ts';
import { rarity } from './rarity.ts';
import { latest, type MixReading, type Question, type Suspicion, sample } from './reading.ts';
import { phase, season } from './season.ts';

/** Categories beyond the largest 12 are judged together. */
const most = 12;
export const others = '(others)';

/**
 * Whether the latest runs share their rows differently over the categories than the earlier ones. Each run is a row of
 * arcsine roots of shares; whole rows are drawn, so that rows which vary more than a multinomial calibrate themselves.
 */
export function judgeMix(
  readings: readonly MixReading[],
  question: Pick<Question, 'alpha' | 'seed' | 'period'>,
): Suspicion | undefined {
  const rows = standardised(sample(readings), question.period);
  const n = rows.length;
  const width = rows[0]?.length ?? 0;
  if (n < 10 || width === 0) return undefined;
  const inOrder = Uint32Array.from(rows, (_, i) => i);
  const own = peaks(rows, width)(inOrder);
  if (own.length === 0) return undefined;
  const next = drawsFor(question.seed);
  const picks = new Uint32Array(n);
  const sizeOf = peaks(withoutStep(rows, width, own.length), width);
  const draw = () => {
    next(picks);
    for (let i = 0; i < n; i++) picks[i] = ((picks[i] as number) * n) / 0x1_0000_0000;
    return sizeOf(picks).size / 2;
  };
  const p = rarity(own.size / 2, draw, question.alpha);
  return p <= question.alpha ? { kind: 'mix', length: own.length, p } : undefined;
}

/** The categories a mix is judged by: the largest of the runs seen, by their share of all rows. */
export function categories(readings: readonly MixReading[]): string[] {
  const sums = new Map<string, number>();
  for (const { value } of readings) {
    for (const [name, rows] of Object.entries(value)) sums.set(name, (sums.get(name) ?? 0) + Math.max(0, rows));
  }
  const bySize = [...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  return bySize.length <= most ? bySize : [...bySize.slice(0, most - 1), others];
}

/** Each category's share of a run's rows. */
export function sharesOf(value: Readonly<Record<string, number>>, names: readonly string[]): number[] {
  const total = Object.values(value).reduce((sum, rows) => sum + Math.max(0, rows), 0);
  if (!(total > 0)) return names.map(() => 0);
  let rest = total;
  return names.map((name) => {
    if (name === others) return rest / total;
    const rows = Object.hasOwn(value, name) ? Math.max(0, value[name] ?? 0) : 0;
    rest -= rows;
    return rows / total;
  });
}

/** Each category without its season, such as weekends when other customers come, and with a deviation of 1. */
function standardised(readings: readonly MixReading[], period: number): Float64Array[] {
  const names = categories(readings);
  const rows = readings.map(({ value }) =>
    Float64Array.from(sharesOf(value, names), (share) => Math.asin(Math.sqrt(Math.min(1, Math.max(0, share))))),
  );
  const steps = Int32Array.from(readings, ({ step }) => step);
  for (let c = 0; c < names.length; c++) {
    const raw = Float64Array.from(rows, (row) => row[c] ?? 0);
    const effect = season(raw, steps, period);
    const column = effect ? raw.map((value, i) => value - (effect[phase(steps, i, period)] ?? 0)) : raw;
    const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
    const s = deviation(column);
    rows.forEach((row, i) => {
      row[c] = s > 1e-9 ? Math.max(-4, Math.min(4, ((column[i] ?? 0) - mean) / s)) : 0;
    });
  }
  return rows;
}

/**
 * The largest sum over categories of squared differences between the latest r rows and all, of a series that takes these
 * rows in some order, each as often as it likes. Rows lie one after the other, since thousands of series are made of them.
 */
function peaks(rows: readonly Float64Array[], width: number) {
  const flat = new Float64Array(rows.length * width);
  rows.forEach((row, i) => {
    flat.set(row, i * width);
  });
  const mean = new Float64Array(width);
  const weight = new Float64Array(width);
  const tail = new Float64Array(width);
  return (order: Uint32Array): { size: number; length: number } => {
    const n = order.length;
    mean.fill(0);
    weight.fill(0);
    tail.fill(0);
    for (let i = 0; i < n; i++) {
      const from = at(order, i) * width;
      for (let c = 0; c < width; c++) {
        const value = at(flat, from + c);
        mean[c] = at(mean, c) + value;
        weight[c] = at(weight, c) + value * value;
      }
    }
    for (let c = 0; c < width; c++) {
      mean[c] = at(mean, c) / n;
      weight[c] = 1 / Math.max(1e-9, (at(weight, c) - n * at(mean, c) ** 2) / (n - 1));
    }
    const best = { size: 0, length: 0 };
    let alone = 0;
    for (let r = 1; r <= Math.min(latest, n - 8); r++) {
      const from = at(order, n - r) * width;
      let size = 0;
      for (let c = 0; c < width; c++) {
        const sum = at(tail, c) + at(flat, from + c) - at(mean, c);
        tail[c] = sum;
        size += sum * sum * at(weight, c);
      }
      size *= n / (r * (n - r));
      if (r === 1) alone = size;
      // Two runs of which the latest says more alone are one odd run so far.
      if (r >= 2 && size > best.size && (r > 2 || size > alone)) {
        best.size = size;
        best.length = r;
      }
    }
    return best;
  };
}

function withoutStep(rows: readonly Float64Array[], width: number, length: number): Float64Array[] {
  const n = rows.length;
  const cut = n - length;
  const means = [new Float64Array(width), new Float64Array(width)];
  rows.forEach((row, i) => {
    const mean = means[i < cut ? 0 : 1];
    for (let c = 0; c < width && mean; c++) mean[c] = (mean[c] ?? 0) + (row[c] ?? 0) / (i < cut ? cut : length);
  });
  return rows.map((row, i) => row.map((value, c) => value - (means[i < cut ? 0 : 1]?.[c] ?? 0)));
}

/** Within its length: see scan.ts. */
function at(values: Float64Array | Uint32Array, i: number): number {
  return values[i] as number;
}
