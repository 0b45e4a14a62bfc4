import type { Instant } from '../instant.ts';
import type { MetricValue } from '../run/attempt.ts';
import { alphaOf, type Budget, learning } from './budget.ts';
import type { Broken } from './check.ts';
import type { Columns } from './columns.ts';
import { isEmpty, isMissing } from './contract.ts';
import type { Enumeration } from './enumeration.ts';
import { judge } from './judge.ts';
import { median } from './median.ts';
import { judgeMix } from './mix.ts';
import { isBack, mixNumbers, type Numbers, numbersOf } from './numbers.ts';
import { bounded, type DayValues, dayOf, late, ofDay, withLateDay } from './points.ts';
import { unitOf } from './readable.ts';
import type { MixReading, Point, Reading } from './reading.ts';
import type { MetricKind } from './transform.ts';

/** What one metric of one job is compared with, and where it stands: learning → watching → drifted → watching. */
export interface MetricState {
  job: string;
  metric: string;
  kind: MetricKind;
  /** Values of successful runs since the pin, oldest slot first: the 90 oldest and the 90 latest. */
  points: Point[];
  /** Values since the pin. */
  runs: number;
  missed: number;
  absentNow: number;
  /** The first of the runs that it is absent in now. */
  absentSince?: Instant;
  /** The newest slot that was looked at: what is older arrives late and is news to no one. */
  last: Instant;
  /** Of a job that runs more than once a day: the values of the day that is not over. */
  today: DayValues | null;
  /** Of such a job: a past day without a value whose runs have come late, day by day as backfills go. */
  lateDay?: DayValues | null;
  drifted: Drifted | null;
  pinned: { by: string; why: string; at: Instant } | null;
  /** Of counts by category: the values that they have had. */
  values?: Enumeration;
  /** Of the number of columns of an output: which ones. */
  columns?: Columns;
  broken?: Broken | null;
}

export interface Drifted {
  /** The slot at which the change begins, and of the run that showed it. */
  since: Instant;
  found: Instant;
  kind: Numbers['kind'];
}

/** What a run shows of one metric. */
export interface Sign extends Drifted {
  metric: string;
  /** One in this many looks; undefined: a breach of the contract, which needs no chance. */
  oneIn: number | undefined;
  numbers: Numbers;
}

export interface Setting {
  timeZone: string;
  /** More than one scheduled run a day: the day's median is judged, once a day. */
  fast: boolean;
  budget: Budget;
  /** Changes in the other direction are no finding. */
  direction?: 'up' | 'down' | undefined;
  label?: string | undefined;
  unit?: string | undefined;
}

export function newState(job: string, metric: string, value: MetricValue): MetricState {
  const rest = { points: [], runs: 0, missed: 0, absentNow: 0, last: Number.NEGATIVE_INFINITY, today: null };
  return { job, metric, kind: kindOf(metric, value), ...rest, drifted: null, pinned: null };
}

/** A mix by its value; shares and counts of the shim by their names; all else is a gauge. */
export function kindOf(metric: string, value: MetricValue): MetricKind {
  if (typeof value !== 'number') return 'mix';
  if (metric.startsWith('output:') && metric.endsWith('.nulls')) return 'share';
  if (metric.startsWith('output:') && metric.endsWith('/rows')) return 'count';
  return 'gauge';
}

export interface Step {
  state: MetricState;
  sign?: Sign;
  /** The metric is inside its usual range again. */
  recovered?: true;
}

/**
 * The state after one more successful run. A slot that was looked at, or an older one, is only filed: reruns and
 * backfills do not judge the present.
 * @param value undefined: the run has not left this metric
 */
export function see(state: MetricState, slot: Instant, value: MetricValue | undefined, setting: Setting): Step {
  if (value === undefined) return slot > state.last ? absent({ ...state, last: slot }, slot, setting) : { state };
  // Known by its absence only, as a metric that job.yaml requires may be.
  if (isUnseen(state) && kindOf(state.metric, value) !== state.kind)
    return see({ ...state, kind: kindOf(state.metric, value) }, slot, value, setting);
  if ((typeof value === 'number') !== (state.kind !== 'mix')) {
    if (slot <= state.last) return { state };
    if (state.drifted?.kind === 'type') return { state: { ...state, last: slot } };
    const detail = `is ${typeof value === 'number' ? 'a number' : 'counts by category'}, which it was not before`;
    return sign({ ...state, last: slot }, { since: slot, found: slot, kind: 'type' }, setting, undefined, detail);
  }
  if (slot <= state.last) return { state: late(state, { slot, value }, setting) };
  const present = { ...state, last: slot, missed: state.missed + state.absentNow, absentNow: 0 };
  if (setting.fast && typeof value === 'number') return collect(present, slot, value, setting);
  return arrived(present, { slot, value }, setting);
}

function absent(state: MetricState, slot: Instant, setting: Setting): Step {
  const before = { seen: state.runs, missed: state.missed, absentNow: state.absentNow };
  const absentSince = state.absentNow > 0 ? (state.absentSince ?? slot) : slot;
  const next = { ...state, absentNow: state.absentNow + 1, absentSince };
  const news = isMissing({ ...before, absentNow: next.absentNow }) && !isMissing(before);
  if (!news || state.drifted) return { state: next };
  return sign(next, { since: absentSince, found: slot, kind: 'missing' }, setting);
}

/** Closes the day before when a new one begins. */
function collect(state: MetricState, slot: Instant, value: number, setting: Setting): Step {
  const day = dayOf(slot, setting.timeZone);
  if (state.today?.day === day) return { state: { ...state, today: ofDay(state.today, day, slot, value) } };
  const next = { ...withLateDay(state), today: ofDay(null, day, slot, value) };
  if (!state.today) return { state: next };
  return arrived(next, { slot: state.today.slot, value: median(state.today.values) }, setting);
}

function arrived(before: MetricState, point: Point, setting: Setting): Step {
  const state = { ...before, points: bounded([...before.points, point]), runs: before.runs + 1 };
  if (!state.drifted && isEmptied(state.kind, before.points, point)) {
    return sign(state, { since: point.slot, found: point.slot, kind: 'zero' }, setting);
  }
  if (state.drifted) return drifting(state, state.drifted, setting);
  const found = suspicion(state, state.points, setting);
  return found ? sign(state, found.drifted, setting, found.oneIn) : { state };
}

/** While a change stands, the baseline stays; a second one from the change on sees the next change. */
function drifting(state: MetricState, { since, kind }: Drifted, setting: Setting): Step {
  if (kind === 'zero') {
    if (state.points.at(-1)?.value === 0) return { state };
    // What was never zero before is never zero: the next time is news again.
    return {
      state: { ...state, points: state.points.filter(({ value }) => value !== 0), drifted: null },
      recovered: true,
    };
  }
  if (kind === 'missing' || kind === 'type') return { state: { ...state, drifted: null }, recovered: true };
  const reference = state.points.filter(({ slot }) => slot < since);
  const after = state.points.filter(({ slot }) => slot >= since);
  if (after.length >= 5 && isBack(state.kind, reference, after.slice(-5))) {
    // What lay outside was no part of the accepted regime, and the baseline must not learn it.
    const kept = [...reference, ...after.slice(-5)];
    return { state: { ...state, points: kept, drifted: null }, recovered: true };
  }
  // The first runs of a new level may look like a wider spread: the level takes its place.
  const level = kind.startsWith('var') ? suspicion(state, state.points, setting) : undefined;
  if (level?.drifted.kind.startsWith('shift')) return sign(state, level.drifted, setting, level.oneIn);
  const again = after.length >= learning ? suspicion(state, after, setting) : undefined;
  return again ? sign(state, again.drifted, setting, again.oneIn) : { state };
}

function isUnseen({ runs, points }: MetricState): boolean {
  return runs === 0 && points.length === 0;
}

/** Zero where there never was one: rows of an output, and whatever a script has always counted in whole numbers. */
function isEmptied(kind: MetricKind, before: readonly Point[], { value }: Point): boolean {
  if (value !== 0 || kind === 'mix' || kind === 'share') return false;
  const earlier = before.map((point) => Number(point.value));
  const counted = kind === 'count' || (earlier.length >= learning && earlier.every((one) => Number.isInteger(one)));
  return counted && isEmpty(value, earlier);
}

function suspicion(state: MetricState, points: readonly Point[], setting: Setting) {
  if (points.length < learning) return undefined;
  const slot = points.at(-1)?.slot ?? 0;
  const alpha = alphaOf(setting.budget, state.runs);
  const seed = `${state.job} ${state.metric} ${slot}`;
  const found =
    state.kind === 'mix'
      ? judgeMix(mixReadings(points, setting), { alpha, period: periodOf(points), seed })
      : judge(readings(points, setting), { kind: state.kind, period: periodOf(points), alpha, seed });
  const wrongWay =
    found?.kind === (setting.direction === 'up' ? 'shift_down' : setting.direction === 'down' ? 'shift_up' : '');
  if (!found || wrongWay) return undefined;
  const since = points[points.length - found.length]?.slot ?? slot;
  return { drifted: { since, found: slot, kind: found.kind }, oneIn: 1 / alpha };
}

function sign(state: MetricState, drifted: Drifted, setting: Setting, oneIn?: number, detail?: string): Step {
  const unit = setting.unit ?? unitOf(state.metric);
  const about = { metric: state.metric, kind: drifted.kind, label: setting.label, unit, detail };
  const before = state.points.filter(({ slot }) => slot < drifted.since);
  const after = state.points.filter(({ slot }) => slot >= drifted.since);
  const numbers = state.kind === 'mix' ? mixNumbers(about, before, after) : numbersOf(about, state.kind, before, after);
  return { state: { ...state, drifted }, sign: { ...drifted, metric: state.metric, oneIn, numbers } };
}

/** The values as the detector takes them: steps are days, so that a weekday is a phase and a weekend a gap. */
export function readings(points: readonly Point[], { timeZone }: Pick<Setting, 'timeZone'>): Reading[] {
  const daily = periodOf(points) > 0;
  return points.map(({ slot, value }, i) => ({ step: daily ? dayOf(slot, timeZone) : i, value: Number(value) }));
}

function mixReadings(points: readonly Point[], { timeZone }: Setting): MixReading[] {
  return points.flatMap(({ slot, value }) =>
    typeof value === 'number' ? [] : [{ step: dayOf(slot, timeZone), value }],
  );
}

/** Weekdays matter where most runs are a day or a weekend apart; of slower jobs the order is all there is. */
function periodOf(points: readonly Point[]): number {
  const gaps = points.slice(1).map(({ slot }, i) => slot - (points[i]?.slot ?? slot));
  return gaps.length > 0 && median(gaps) < 2 * 86_400_000 ? 7 : 0;
}
