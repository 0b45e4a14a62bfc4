import { drawsFor } from '../../../shared/drift/chance.ts';

/** Series whose truth is known: noise of many kinds, with or without a change, the same for the same seed. */

export interface Change {
  at: number;
  /** In standard deviations of the noise; for `variance` the factor of the deviation. */
  size: number;
  form: 'shift' | 'ramp' | 'variance';
}

export interface Series {
  hint: 'gauge' | 'count' | 'share';
  values: (number | null)[];
  denominators?: number[];
}

type Noise = (chance: Chance, n: number, effect: (i: number) => { shift: number; factor: number }) => Series;

export interface Chance {
  uniform: () => number;
  normal: () => number;
  gamma: (shape: number) => number;
  poisson: (mean: number) => number;
}

export function chanceFor(seed: string): Chance {
  const next = drawsFor(seed);
  const one = new Uint32Array(1);
  const uniform = () => {
    next(one);
    return (Number(one[0]) + 0.5) / 0x1_0000_0000;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  // Marsaglia and Tsang 2000; below shape 1 by the boost.
  const gamma = (shape: number): number => {
    if (shape < 1) return gamma(shape + 1) * uniform() ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  };
  const poisson = (mean: number): number => {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    let k = 0;
    for (let product = uniform(); product > Math.exp(-mean); product *= uniform()) k++;
    return k;
  };
  return { uniform, normal, gamma, poisson };
}

const each = (n: number, value: (i: number) => number) => Array.from({ length: n }, (_, i) => value(i));

/** Gauges: a centre, a deviation and unit noise, whatever its law. */
const gauge =
  (
    centre: number,
    deviation: number,
    noise: (chance: Chance, n: number) => (i: number) => number,
    week?: number[],
  ): Noise =>
  (chance, n, effect) => {
    const unit = noise(chance, n);
    return {
      hint: 'gauge',
      values: each(n, (i) => {
        const { shift, factor } = effect(i);
        return centre + deviation * (unit(i) * factor + shift + (week?.[i % 7] ?? 0));
      }),
    };
  };

const memory = (phi: number) => (chance: Chance, n: number) => {
  const path: number[] = [];
  for (let i = 0; i < n; i++) {
    path.push(i === 0 ? chance.normal() : phi * (path[i - 1] ?? 0) + Math.sqrt(1 - phi * phi) * chance.normal());
  }
  return (i: number) => path[i] ?? 0;
};

/** Counts: mean by weekday, Poisson or over-dispersed; a shift of s deviations of the count. */
const count =
  (mean: number, dispersion: number, week?: number[]): Noise =>
  (chance, n, effect) => ({
    hint: 'count',
    values: each(n, (i) => {
      const base = mean * (week?.[i % 7] ?? 1);
      const deviation = Math.sqrt(base + dispersion * base * base);
      const level = Math.max(0.05, base + effect(i).shift * deviation);
      return chance.poisson(dispersion > 0 ? level * chance.gamma(1 / dispersion) * dispersion : level);
    }),
  });

/** Shares of about `rows` rows, with a little more spread than the binomial has. */
const share =
  (mean: number, rows: number, extra: number): Noise =>
  (chance, n, effect) => {
    const denominators = each(n, () => Math.round(rows * (0.8 + 0.4 * chance.uniform())));
    const deviation = Math.sqrt((mean * (1 - mean)) / rows + (extra * mean) ** 2);
    const values = each(n, (i) => {
      const of = denominators[i] ?? rows;
      const level = mean + effect(i).shift * deviation + extra * mean * chance.normal();
      const expected = Math.min(0.99, Math.max(0, level)) * of;
      const hits =
        expected < 30 ? chance.poisson(expected) : expected + Math.sqrt(expected * (1 - level)) * chance.normal();
      return Math.min(of, Math.max(0, Math.round(hits))) / of;
    });
    return { hint: 'share', values, denominators };
  };

const weekend = [1, 1, 1, 1, 1, 0.4, 0.35];
const plain = (chance: Chance) => () => chance.normal();
const student = (chance: Chance) => () => chance.normal() / Math.sqrt((2 * chance.gamma(1.5)) / 3) / Math.sqrt(3);

export const families: Record<string, Noise> = {
  normal: gauge(0.64, 0.017, plain),
  weekly: gauge(50, 5, plain, [0.5, 0.2, 0, 0.4, 0.9, -2.5, -3]),
  heavy: gauge(12, 1, student),
  skewed: gauge(400, 120, (chance) => () => (Math.exp(0.35 * chance.normal()) - 1.063) / 0.38),
  uniform: gauge(10, 1, (chance) => () => (chance.uniform() - 0.5) * 3.46),
  rounded: gauge(5, 1, (chance) => () => Math.round(chance.normal())),
  twoHumped: gauge(5, 1, (chance) => () => (chance.uniform() < 0.3 ? 1.5 : -0.65) + 0.3 * chance.normal()),
  memory3: gauge(3, 0.35, memory(0.3)),
  memory5: gauge(3, 0.35, memory(0.5)),
  memory8: gauge(3, 0.35, memory(0.8)),
  rare: count(4, 0),
  steady: count(60, 0),
  dispersed: count(400, 0.016),
  weekdays: count(440, 0.004, weekend),
  share: share(0.12, 420, 0.05),
  nulls: share(0.005, 450, 0.2),
};

/** `n` runs of a family; a `missing` share of the runs left no value. */
export function series(family: string, seed: string, n: number, change?: Change, missing = 0): Series {
  const chance = chanceFor(`${family} ${seed}`);
  const noise = families[family];
  if (!noise) throw new Error(`no family "${family}"`);
  const made = noise(chance, n, (i) => {
    if (!change || i < change.at) return { shift: 0, factor: 1 };
    if (change.form === 'variance') return { shift: 0, factor: change.size };
    if (change.form === 'shift') return { shift: change.size, factor: 1 };
    return { shift: (change.size * (i - change.at + 1)) / (n - change.at), factor: 1 };
  });
  if (missing > 0) made.values = made.values.map((value) => (chance.uniform() < missing ? null : value));
  return made;
}
