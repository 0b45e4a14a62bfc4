import type { Draws } from './chance.ts';
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
  let product = 0;
  let squares = 0;
  for (let i = 0; i < by.n; i++) {
    const value = at(values, i);
    product += value * at(by.constant, i);
    squares += value * value;
  }
  return peakOf(values, by, product, squares);
}

/**
 * Makes draws of the largest statistic when chance alone takes the values from a table: {@link scan} for thousands of
 * series, without a series being made or walked twice.
 */
export function sizes(by: Lens, table: Float64Array, next: Draws): { (): number; skip(): void } {
  const { n, constant } = by;
  const picks = new Uint32Array(n);
  const values = new Float64Array(n);
  const share = table.length / 0x1_0000_0000;
  const draw = () => {
    next(picks);
    let product = 0;
    let squares = 0;
    // Read in place: a function for arrays of two kinds would ask each time which one it is.
    for (let i = 0; i < n; i++) {
      const value = table[((picks[i] as number) * share) | 0] as number;
      values[i] = value;
      product += value * (constant[i] as number);
      squares += value * value;
    }
    return peakOf(values, by, product, squares, drawn).size;
  };
  return Object.assign(draw, { skip: () => next(picks) });
}

const drawn: Peak = { size: 0, length: 0, sign: 1 };

/** @param product of the values with the constant @param squares sum of the values' squares @param into reused */
function peakOf(values: Float64Array, by: Lens, product: number, squares: number, into?: Peak): Peak {
  const { n, longest, shortest, constant, jump, shared, height } = by;
  const peak = into ?? { size: 0, length: 0, sign: 1 };
  const level = product / by.constantSquares;
  const s = Math.sqrt(Math.max(0, squares - product * level) / (n - 1));
  let size = 0;
  let length = 0;
  let up = true;
  if (s > 0) {
    let tail = 0;
    let alone = 0;
    for (let r = 1; r <= longest; r++) {
      const k = n - r;
      const value = at(values, k);
      const t = (tail + value * at(jump, k) - level * at(shared, r)) / at(height, r);
      const far = Math.abs(t);
      if (r === 1) alone = far;
      // Two runs of which the latest says more alone are one odd run so far.
      if (far > size && r >= shortest && (r > 2 || far > alone)) {
        size = far;
        length = r;
        up = t > 0;
      }
      tail += value * at(constant, k);
    }
  }
  peak.size = s > 0 ? size / s : 0;
  peak.length = length;
  peak.sign = up ? 1 : -1;
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

/** Within its length: a check of each of a million reads would take as long as they do. */
function at(values: Float64Array, i: number): number {
  return values[i] as number;
}
