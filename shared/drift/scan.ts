import type { Whitened } from './whiten.ts';

/** Where in a series the latest runs differ most from the ones before. */
export interface Peak {
  /** The studentised difference of levels, largest over all lengths. */
  size: number;
  /** How many of the latest runs lie beyond the change. */
  length: number;
  sign: 1 | -1;
}

/** What one series makes of a scan: weights that do not depend on the values, so that a thousand draws share them. */
export interface Lens {
  n: number;
  shortest: number;
  longest: number;
  constant: Float64Array;
  jump: Float64Array;
  constantSquares: number;
  /** By length: the product of the step with the constant, and the length of the step at right angles to it. */
  shared: Float64Array;
  height: Float64Array;
}

/** For lengths `shortest` … `longest` of the latest runs. `reference` runs at least stay before every step. */
export function lens(
  white: Pick<Whitened, 'constant' | 'jump'>,
  shortest: number,
  longest: number,
  reference = 8,
): Lens {
  const { constant, jump } = white;
  const n = constant.length;
  const last = Math.min(longest, n - reference);
  let constantSquares = 0;
  for (const value of constant) constantSquares += value * value;
  const shared = new Float64Array(Math.max(0, last) + 1);
  const height = new Float64Array(Math.max(0, last) + 1);
  let tail = 0;
  for (let r = 1; r <= last; r++) {
    const k = n - r;
    const first = at(jump, k);
    shared[r] = tail + first * at(constant, k);
    const squares = tail + first * first;
    height[r] = Math.sqrt(Math.max(1e-12, squares - at(shared, r) ** 2 / constantSquares));
    tail += at(constant, k) ** 2;
  }
  return { n, shortest, longest: last, constant, jump, constantSquares, shared, height };
}

/**
 * The largest t-like statistic for "the last r runs are shifted". Under memory the step is the matched filter: its first
 * run stands out by much, the others by 1 − phi.
 */
export function scan(values: Float64Array, by: Lens): Peak {
  const { n } = by;
  let product = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const value = at(values, i);
    product += value * at(by.constant, i);
    squares += value * value;
  }
  const level = product / by.constantSquares;
  const s = Math.sqrt(Math.max(0, squares - product * level) / (n - 1));
  const peak: Peak = { size: 0, length: 0, sign: 1 };
  if (!(s > 0)) return peak;
  let tail = 0;
  let alone = 0;
  for (let r = 1; r <= by.longest; r++) {
    const k = n - r;
    const value = at(values, k);
    const t = (tail + value * at(by.jump, k) - level * at(by.shared, r)) / at(by.height, r);
    if (r === 1) alone = Math.abs(t);
    if (r >= by.shortest) {
      // Two runs of which the latest says more alone are one odd run so far.
      if (Math.abs(t) > peak.size && (r > 2 || Math.abs(t) > alone)) {
        peak.size = Math.abs(t);
        peak.length = r;
        peak.sign = t > 0 ? 1 : -1;
      }
    }
    tail += value * at(by.constant, k);
  }
  peak.size /= s;
  return peak;
}

/** What is left of the values when the level and the best step over the whole series are taken out. */
export function residuals(values: Float64Array, white: Pick<Whitened, 'constant' | 'jump'>): Float64Array {
  const n = values.length;
  const by = lens(white, 3, n - 3, 3);
  const { length } = scan(values, by);
  let product = 0;
  for (let i = 0; i < n; i++) product += at(values, i) * at(by.constant, i);
  const level = product / by.constantSquares;
  const rest = values.map((value, i) => value - level * at(by.constant, i));
  if (length === 0) return rest;
  const k = n - length;
  const share = at(by.shared, length) / by.constantSquares;
  const step = rest.map(
    (_, i) => (i < k ? 0 : i === k ? at(by.jump, i) : at(by.constant, i)) - share * at(by.constant, i),
  );
  let size = 0;
  for (let i = 0; i < n; i++) size += at(rest, i) * at(step, i);
  size /= at(by.height, length) ** 2;
  return rest.map((value, i) => value - size * at(step, i));
}

function at(values: Float64Array, i: number): number {
  return values[i] ?? 0;
}
