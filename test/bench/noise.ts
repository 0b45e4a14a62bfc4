import { parseArgs } from 'node:util';
import { detect } from '../../shared/drift/detect.ts';
import { type Change, families, type Series, series } from '../support/drift/families.ts';

/**
 * False alerts and recall of the detector by kind of noise: `node test/bench/noise.ts [--years 8] [--seed other]`.
 * Alerts within 7 runs are one, as in the development set; a job has 8 metrics.
 */
const { values: options } = parseArgs({
  options: {
    years: { type: 'string', default: '8' },
    changes: { type: 'string', default: '16' },
    seed: { type: 'string', default: 'other' },
    only: { type: 'string' },
  },
});

/** Kinds of noise: of a family, with a share of runs that left nothing, and growing by that number of deviations a year. */
const kinds: Record<string, { family: string; missing?: number; growth?: number }> = {
  ...Object.fromEntries(Object.keys(families).map((family) => [family, { family }])),
  gaps: { family: 'normal', missing: 0.15 },
  'weekly gaps': { family: 'weekly', missing: 0.1 },
  growing: { family: 'normal', growth: 60 },
  'growing counts': { family: 'dispersed', growth: 40 },
};

function made(kind: string, seed: string, n: number, change?: Change): Series {
  const { family, missing = 0, growth = 0 } = kinds[kind] ?? { family: kind };
  const one = series(family, `${options.seed} ${seed}`, n, change, missing);
  if (growth === 0) return one;
  const known = one.values.flatMap((value) => (value === null ? [] : [value]));
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length);
  const rises = (value: number, i: number) => value + (growth * deviation * i) / 365;
  const round = one.hint === 'count' ? Math.round : (value: number) => value;
  return { ...one, values: one.values.map((value, i) => (value === null ? null : round(rises(value, i)))) };
}

function alerts(one: Series, id: string): number[] {
  const flags = detect({ id, step: 'day', period: 7, ...one }).filter(
    ({ kind }) => kind !== 'spike' && kind !== 'missing',
  );
  const found: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const { index } of flags) {
    if (index - last > 7) found.push(index);
    last = index;
  }
  return found;
}

const table: string[] = [];
const sums = { years: 0, false: 0, early: 0 };
for (const kind of Object.keys(kinds).filter((name) => !options.only || options.only.split(',').includes(name))) {
  const years = Number(options.years);
  const found = Array.from({ length: years }, (_, k) => alerts(made(kind, `year ${k}`, 365), `${kind} ${k}`)).flat();
  const early = found.filter((index) => index < 60).length;
  sums.years += years;
  sums.false += found.length;
  sums.early += early;
  const recall = [1, 2, 3].map((size) => {
    const n = Number(options.changes);
    const hits = Array.from({ length: n }, (_, k) => {
      const at = 40 + ((k * 7) % 40);
      const change = { at, size: k % 2 === 0 ? size : -size, form: 'shift' as const };
      return alerts(made(kind, `${size} ${k}`, at + 31, change), `${kind} ${size} ${k}`).some((index) => index >= at);
    });
    return (hits.filter(Boolean).length / n).toFixed(2);
  });
  const cells = [kind, ((8 * found.length) / years).toFixed(2), ((8 * early) / years).toFixed(2), ...recall];
  table.push(`| ${cells.join(' | ')} |`);
  console.log(table.at(-1));
}
console.log(
  `all: ${((8 * sums.false) / sums.years).toFixed(2)} a job-year, of which ${((8 * sums.early) / sums.years).toFixed(2)} in the first 60 runs`,
);
