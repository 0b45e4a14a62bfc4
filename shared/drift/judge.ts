import { type Draws, drawsFor } from './chance.ts';
import { clip, deviation, median, spread } from './median.ts';
import { combinations, evidence, rarity, urn } from './rarity.ts';
import { latest, type Question, type Reading, type Suspicion, sample } from './reading.ts';
import { type Lens, lens, type Peak, residuals, scan, sizes } from './scan.ts';
import { detrend, phase, season } from './season.ts';
import { leansRight, transform } from './transform.ts';
import { memoryOf, whiten } from './whiten.ts';

/** In robust deviations: what is further out counts as this far. */
const limit = 3.5;
/** Of the chance of a false alarm: what the level may take, and what the spread may. */
const levelShare = 0.85;

/**
 * Whether the latest runs differ from the earlier ones in level or in spread by more than chance gives. `readings` are
 * in order of time and begin at the pin; values are finite. Deterministic: no clock, no outside chance.
 */
export function judge(readings: readonly Reading[], question: Question): Suspicion | undefined {
  const used = sample(readings);
  const n = used.length;
  const steps = Int32Array.from(used, (reading) => reading.step);
  const plain = Float64Array.from(used, (reading) => transform(reading.value, question.kind, reading.denominator));
  const raw = question.kind === 'gauge' && leansRight(plain) ? plain.map(Math.log) : plain;
  const values = detrend(seasonless(raw, steps, question.period), steps);
  const centre = median(values);
  const scale = spread(values, centre) || deviation(values);
  if (!(scale > 0) || !Number.isFinite(scale)) return undefined;
  const w = values.map((value) => clip((value - centre) / scale, limit));
  const white = whiten(w, steps, memoryOf(w, steps));
  const rest = residuals(white.values, white);
  const next = drawsFor(question.seed);

  const ofLevel = levelShare * question.alpha;
  const byLevel = lens(white, 2, latest);
  const level = scan(white.values, byLevel);
  const p = chanceOf(level, byLevel, urn(rest, limit), next, ofLevel);
  if (p <= ofLevel && holds(w, steps, next))
    return { kind: level.sign > 0 ? 'shift_up' : 'shift_down', length: level.length, p };

  const ofSpread = question.alpha - ofLevel;
  const middle = median(rest);
  const away = rest.map((value) => Math.abs(value - middle));
  const byAway = lens({ constant: new Float64Array(n).fill(1), jump: new Float64Array(n).fill(1) }, 6, latest);
  const wide = scan(away, byAway);
  const q = chanceOf(wide, byAway, away, next, ofSpread, { last: true });
  if (q <= ofSpread && !oneSided(white.values, median(white.values), wide))
    return { kind: wide.sign > 0 ? 'var_up' : 'var_down', length: wide.length, p: q };
  return undefined;
}

/** Few runs cannot rule out a strong memory: then the level must be unusual, 1 in 30, under the strongest likely one too. */
function holds(w: Float64Array, steps: Int32Array, next: Draws): boolean {
  if (w.length > 90) return true;
  const strong = whiten(w, steps, memoryOf(w, steps, 0.95));
  const by = lens(strong, 2, latest);
  return (
    chanceOf(scan(strong.values, by), by, urn(residuals(strong.values, strong), limit), next, 1 / 30, { least: 2 }) <=
    1 / 30
  );
}

/** Odd runs on one side only are a level that begins to move, not a wider spread. */
function oneSided(values: Float64Array, middle: number, { length, sign }: Peak): boolean {
  if (sign < 0) return false;
  const window = values.subarray(values.length - length);
  const s = Math.max(spread(values, middle), 0.5);
  return !window.some((value) => value - middle > 1.5 * s) || !window.some((value) => middle - value > 1.5 * s);
}

function seasonless(values: Float64Array, steps: Int32Array, period: number): Float64Array {
  const effect = season(values, steps, period);
  return effect ? values.map((value, i) => value - (effect[phase(steps, i, period)] ?? 0)) : values;
}

function chanceOf(
  peak: Peak,
  by: Lens,
  table: Float64Array,
  next: Draws,
  alpha: number,
  { least = 3, last = false }: { least?: number; last?: boolean } = {},
): number {
  if (peak.size < least) return 1;
  // Nothing but the step varies: then only the order of the runs is chance.
  if (table.length === 0) return 1 / combinations(by.n, peak.length);
  const draw = sizes(by, table, next);
  return rarity(peak.size, draw, alpha, { scale: (size) => evidence(size, by.n), skip: last ? undefined : draw.skip });
}
