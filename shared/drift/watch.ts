import { alphaOf, type Budget, learning } from './budget.ts';
import { isEmpty, isMissing } from './contract.ts';
import { judge } from './judge.ts';
import { judgeMix } from './mix.ts';
import { isOdd } from './odd.ts';
import { latest, type MixReading, oldest, type Reading } from './reading.ts';
import { type MetricKind, transform } from './transform.ts';

/** One metric followed run by run, in memory bounded by the sample that is compared. */

export type MetricValue = number | null | undefined | Readonly<Record<string, number>>;

export interface Flag {
  step: number;
  kind: 'shift_up' | 'shift_down' | 'var_up' | 'var_down' | 'mix' | 'missing' | 'zero' | 'nan' | 'type' | 'spike';
  /** The step at which the change is said to begin. */
  from?: number;
  p?: number;
}

export interface Metric {
  name: string;
  kind: MetricKind;
  period: number;
  budget: Budget;
}

/**
 * `see(step, value)` in order of time; it answers with what that run shows. After a change the reference stays where it
 * is for people, and a second baseline begins at the change, so that the next change is seen too.
 */
export function follow(metric: Metric) {
  let numbers: Reading[] = [];
  let mixes: MixReading[] = [];
  let runs = 0;
  const presence = followPresence();

  /** Keeps the oldest and the latest readings, which are all that is ever compared. */
  const bounded = <T>(list: T[]): T[] =>
    list.length <= oldest + 2 * latest ? list : [...list.slice(0, oldest), ...list.slice(list.length - latest)];

  const seeMix = (step: number, value: Readonly<Record<string, number>>): Flag[] => {
    presence.present();
    runs++;
    mixes = bounded([...mixes, { step, value }]);
    if (mixes.length < learning) return [];
    const alpha = alphaOf(metric.budget, runs);
    const found = judgeMix(mixes, { alpha, period: metric.period, seed: `${metric.name} ${step}` });
    if (!found) return [];
    mixes = mixes.slice(-found.length);
    return [{ step, kind: 'mix', from: mixes[0]?.step ?? step, p: found.p }];
  };

  const seeNumber = (step: number, value: number, denominator: number | undefined): Flag[] => {
    const kind = metric.kind === 'mix' ? 'gauge' : metric.kind;
    presence.present();
    runs++;
    const flags: Flag[] = [];
    if (
      kind === 'count' &&
      isEmpty(
        value,
        numbers.map((reading) => reading.value),
      )
    )
      flags.push({ step, kind: 'zero' });
    numbers = bounded([...numbers, { step, value, denominator }]);
    if (numbers.length < learning) return flags;
    const alpha = alphaOf(metric.budget, runs);
    const found = judge(numbers, { kind, period: metric.period, alpha, seed: `${metric.name} ${step}` });
    if (found) {
      numbers = numbers.slice(-found.length);
      flags.push({ step, kind: found.kind, from: numbers[0]?.step ?? step, p: found.p });
    } else if (isOdd(numbers.map((reading) => transform(reading.value, kind, reading.denominator)))) {
      flags.push({ step, kind: 'spike' });
    }
    return flags;
  };

  return {
    see(step: number, value: MetricValue, denominator?: number): Flag[] {
      if (value === null || value === undefined) return presence.absent() ? [{ step, kind: 'missing' }] : [];
      if (typeof value === 'object') return metric.kind === 'mix' ? seeMix(step, value) : [{ step, kind: 'type' }];
      if (metric.kind === 'mix') return [{ step, kind: 'type' }];
      if (!Number.isFinite(value)) return [{ step, kind: 'nan' }];
      return seeNumber(step, value, denominator);
    },
  };
}

/** Whether a metric is there, run by run. */
export function followPresence() {
  const presence = { seen: 0, missed: 0, absentNow: 0 };
  return {
    present() {
      presence.missed += presence.absentNow;
      presence.absentNow = 0;
      presence.seen++;
    },
    /** Whether it counts as missing from this run on: true once an absence. */
    absent(): boolean {
      const before = isMissing(presence);
      presence.absentNow++;
      return !before && isMissing(presence);
    },
  };
}
