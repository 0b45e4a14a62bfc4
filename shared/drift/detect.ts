import { type Budget, defaultBudget } from './budget.ts';
import { median } from './median.ts';
import type { MetricKind } from './transform.ts';
import { type Flag, follow, followPresence, type MetricValue } from './watch.ts';

/** One metric's whole series, as `lamp detect` reads it. */
export interface SeriesLine {
  id: string;
  step?: string | null | undefined;
  hint?: MetricKind | null | undefined;
  period?: number | null | undefined;
  values: readonly MetricValue[];
  denominators?: readonly (number | null)[] | undefined;
}

export interface IndexFlag {
  index: number;
  kind: Flag['kind'];
  cp?: number;
  p?: number;
}

const looks: Record<string, number> = { day: 365, week: 52, month: 60, quarter: 60, year: 60 };

/** Follows a series from its first run on; a flag at `index` uses `values[0..index]` only. */
export function detect(line: SeriesLine, budget: Budget = defaultBudget): IndexFlag[] {
  const kind = line.hint ?? (isMix(line.values) ? 'mix' : 'gauge');
  const hourly = line.step === 'hour' || line.step === 'minute';
  const own = { ...budget, looks: Math.min(budget.looks, looks[line.step ?? 'day'] ?? budget.looks) };
  if (hourly && kind !== 'mix') return byDay(line, kind, own);
  const metric = follow({ name: line.id, kind, period: line.period ?? 0, budget: own });
  return line.values.flatMap((value, step) =>
    metric.see(step, value, line.denominators?.[step] ?? undefined).map(asIndex),
  );
}

/**
 * Faster series are scanned once a day on the day's median, else the budget would be spent 24 times a day. A missing
 * metric, a zero and an odd value are judged at once.
 */
function byDay(line: SeriesLine, kind: MetricKind, budget: Budget): IndexFlag[] {
  const runs = line.step === 'minute' ? 24 * 60 : 24;
  const days = follow({ name: line.id, kind, period: 7, budget });
  const presence = followPresence();
  const flags: IndexFlag[] = [];
  let today: number[] = [];
  line.values.forEach((value, index) => {
    if (typeof value === 'number' && Number.isFinite(value)) today.push(value);
    if (value !== null && value !== undefined) presence.present();
    else if (presence.absent()) flags.push({ index, kind: 'missing' });
    if ((index + 1) % runs !== 0) return;
    const found = today.length > 0 ? days.see((index + 1) / runs - 1, median(today)) : [];
    today = [];
    for (const { kind, from, p } of found) {
      flags.push({
        index,
        kind,
        ...(from === undefined ? {} : { cp: from * runs }),
        ...(p === undefined ? {} : { p }),
      });
    }
  });
  return flags;
}

function isMix(values: readonly MetricValue[]): boolean {
  const first = values.find((value) => value !== null && value !== undefined);
  return typeof first === 'object';
}

function asIndex({ step, kind, from, p }: Flag): IndexFlag {
  return { index: step, kind, ...(from === undefined ? {} : { cp: from }), ...(p === undefined ? {} : { p }) };
}
