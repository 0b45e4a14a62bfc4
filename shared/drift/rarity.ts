import { clip } from './median.ts';

/** Standard normal quantiles at (j − ½)/7. */
const nodes = [-1.465, -0.792, -0.366, 0, 0.366, 0.792, 1.465];

/**
 * A table to draw chance values from: the residuals, smoothed by a normal kernel of 0.4 deviations, so that what 30 runs
 * have not shown yet is not taken for impossible. Empty when the residuals are all the same.
 */
export function urn(rest: Float64Array, limit: number): Float64Array {
  let squares = 0;
  for (const value of rest) squares += value * value;
  const s = Math.sqrt(squares / Math.max(1, rest.length));
  if (!(s > 1e-9)) return new Float64Array(0);
  const table = new Float64Array(rest.length * nodes.length);
  rest.forEach((value, i) => {
    nodes.forEach((node, j) => {
      table[i * nodes.length + j] = clip(value + node * 0.4 * s, limit * s);
    });
  });
  return table;
}

export const draws = 4_000;

/** Draws after which it is looked whether the answer is clear. */
const stages: ReadonlySet<number> = new Set([500, 1_000, 2_000]);
/** A no that will be clear after a multiple of these draws is given at once. */
const round = 250;

export interface Rareness {
  /** What is seen and drawn → a log likelihood ratio; it only grows. Left out: it is one. */
  scale?: (size: number) => number;
  /** Passes over a draw. Given where a later question takes its numbers from the same stream: it begins where it always did. */
  skip?: (() => void) | undefined;
}

/**
 * How rarely chance alone gives as much evidence as was seen. At most 4,000 draws; it stops early when it is clearly on
 * one side of `alpha`. Chances below 1 in 20 are read off an exponential tail fitted to the largest twentieth of the
 * draws, which is close on the scale of a log likelihood ratio.
 */
export function rarity(seen: number, draw: () => number, alpha: number, { scale = same, skip }: Rareness = {}): number {
  const drawn = new Float64Array(draws);
  let reached = 0;
  for (let i = 1; i <= draws; i++) {
    const size = draw();
    drawn[i - 1] = size;
    if (size >= seen) {
      reached++;
      const end = Math.ceil(i / round) * round;
      if (reached >= 4 && reached / end > 4 * alpha) {
        if (skip) for (let left = end - i; left > 0; left--) skip();
        return reached / i;
      }
    }
    if (!stages.has(i)) continue;
    const p = tailOf(drawn.slice(0, i), reached, seen, scale);
    // The fitted tail is known to 1 in the root of its draws; 3.5 of that, for what is not exponential a third more.
    const unsure = 0.3 + (3.5 * Math.max(1, -Math.log(20 * p))) / Math.sqrt(i / 20);
    const clear = Math.log(p / alpha);
    if (clear < -unsure || (!skip && clear > unsure)) return p;
  }
  return tailOf(drawn, reached, seen, scale);
}

const same = (size: number) => size;

/** The chance of what was seen by these draws, which are sorted. */
function tailOf(drawn: Float64Array, reached: number, seen: number, scale: (size: number) => number): number {
  const n = drawn.length;
  if (reached > n / 20) return reached / n;
  const tail = drawn
    .sort()
    .subarray(n - n / 20)
    .map(scale);
  const from = tail[0] ?? 0;
  let excess = 0;
  for (const evidence of tail) excess += (evidence - from) / tail.length;
  if (!(excess > 0)) return (1 + reached) / (1 + n);
  return Math.exp(-(scale(seen) - from) / excess) / 20;
}

/** A largest t statistic on the scale of the log likelihood ratio of n normal values. */
export function evidence(size: number, n: number): number {
  return (-n / 2) * Math.log(Math.max(1e-12, 1 - (size * size) / (n - 1)));
}

/** How many ways there are to choose r of n; Infinity beyond what a double holds. */
export function combinations(n: number, r: number): number {
  let ways = 1;
  for (let i = 1; i <= r; i++) ways *= (n - r + i) / i;
  return ways;
}
