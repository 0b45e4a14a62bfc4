import type { Instant } from '../instant.ts';
import { wallAt, zoneOf } from '../schedule/zone.ts';
import { median } from './median.ts';
import { latest, oldest, type Point } from './reading.ts';

/** The values that one metric is compared with, in the order of their slots, and where one that comes late belongs. */

/** What runs of one day have left, and the first of their slots. */
export interface DayValues {
  /** Days since 1970 on the clock of the job. */
  day: number;
  slot: Instant;
  values: number[];
}

interface Kept {
  points: Point[];
  today: DayValues | null;
  lateDay?: DayValues | null;
  pinned: unknown;
}

/** Values of one day that are kept: a run a minute, and some more. */
const mostOfDay = 1_500;

/** The day with one more value; null, or another day: this one begins. */
export function ofDay(known: DayValues | null | undefined, day: number, slot: Instant, value: number): DayValues {
  // A day of a job that runs each minute fits into its row so, and a median of hundreds needs no more places.
  const short = Number(value.toPrecision(9));
  if (known?.day !== day) return { day, slot, values: [short] };
  return { day, slot: Math.min(known.slot, slot), values: [...known.values, short].slice(-mostOfDay) };
}

/**
 * A value that comes late, of a rerun or a backfill, takes its place in time, or that of the run it repeats. Of a job that
 * is judged by days (`fast`) it is one of many: where its day has a median, that stays; where it has none, the median of
 * all that come late becomes it, once another day begins. What lies before a pin is no part of the norm.
 */
export function late<T extends Kept>(state: T, { slot, value }: Point, job: { fast: boolean; timeZone: string }): T {
  if (state.pinned && slot < (state.points[0]?.slot ?? Number.POSITIVE_INFINITY)) return state;
  if (!job.fast || typeof value !== 'number') return { ...state, points: filed(state.points, { slot, value }) };
  const day = dayOf(slot, job.timeZone);
  const has = state.points.some((point) => dayOf(point.slot, job.timeZone) === day);
  if (has || state.today?.day === day) return state;
  const before = state.lateDay?.day === day ? state : withLateDay(state);
  return { ...before, lateDay: ofDay(before.lateDay, day, slot, value) };
}

/** With the median of a day that came late, when there is one. */
export function withLateDay<T extends Kept>(state: T): T {
  if (!state.lateDay) return state;
  const { slot, values } = state.lateDay;
  return { ...state, lateDay: null, points: filed(state.points, { slot, value: median(values) }) };
}

export function dayOf(slot: Instant, timeZone: string): number {
  return Math.floor(wallAt(zoneOf(timeZone), slot) / 86_400_000);
}

/** The oldest, and the latest with some to spare. */
export function bounded(points: Point[]): Point[] {
  const most = oldest + 2 * latest;
  return points.length <= most ? points : [...points.slice(0, oldest), ...points.slice(points.length - 2 * latest)];
}

function filed(points: readonly Point[], one: Point): Point[] {
  const others = points.filter(({ slot }) => slot !== one.slot);
  return bounded([...others, one].sort((a, b) => a.slot - b.slot));
}
