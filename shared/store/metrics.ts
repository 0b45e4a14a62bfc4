import { eachOf } from '../batches.ts';
import type { Instant } from '../instant.ts';
import type { MetricValue } from '../run/attempt.ts';
import type { Run, RunState, Trigger } from '../run/run.ts';
import { inverted, lastInstant } from './inverted.ts';
import { keyText, propertyLimit } from './property.ts';
import { type Codec, readInstant, type Table } from './table.ts';

/** One metric of one final run. Outlives what the run has left: drift compares with runs of years ago. */
export interface MetricPoint {
  job: string;
  /** `rows_scored` from the script, `output:outbound.csv/score.mean` from a profile, `run:duration_ms` from the run. */
  metric: string;
  run: string;
  slot: Instant;
  trigger: Trigger;
  /** How the run ended: what a failed run left is no measure of a good one. */
  state: RunState;
  /** A number, or counts by category. */
  value: MetricValue;
}

/** By metric, then newest slot first. */
export const metricCodec: Codec<MetricPoint> = {
  keys: ({ job, metric, slot, run }) => ({
    partitionKey: job,
    rowKey: `${keyText(metric)}|${inverted(slot)}|${run.split('.')[1] ?? ''}`,
  }),
  encode: ({ metric, run, slot, trigger, state, value }) => ({
    metric,
    run,
    slot: new Date(slot),
    trigger,
    state,
    // Always a double, whole numbers too: a property without a type would change it with the value.
    value: typeof value === 'number' ? { type: 'Double', value: String(value) } : null,
    mix: typeof value === 'number' ? null : mixText(value),
  }),
  decode: (row) => ({
    job: String(row.partitionKey),
    metric: String(row.metric),
    run: String(row.run),
    slot: readInstant(row.slot),
    trigger: row.trigger as Trigger,
    state: row.state as RunState,
    value: row.mix === undefined ? readNumber(row.value) : JSON.parse(String(row.mix)),
  }),
};

/** A store that keeps rows as they were encoded gives the type back as well. */
function readNumber(property: unknown): number {
  const typed = property as { value?: string } | number;
  return Number(typeof typed === 'object' ? typed.value : typed);
}

/** The largest categories that fit into a property. */
function mixText(mix: Record<string, number>): string {
  let room = propertyLimit - 2;
  const fitting = Object.entries(mix)
    .sort(([, a], [, b]) => b - a)
    .filter(([name, count]) => {
      room -= JSON.stringify(name).length + String(count).length + 2;
      return room >= 0;
    });
  return JSON.stringify(Object.fromEntries(fitting));
}

export interface Metrics {
  /** All metrics of a final run; entering the same again changes nothing. */
  append(run: Pick<Run, 'job' | 'id' | 'slot' | 'trigger' | 'state'>, values: Map<string, MetricValue>): Promise<void>;
  /** Newest slot first, at most `count`. @param before slots before this instant only */
  list(job: string, metric: string, count: number, before?: Instant): Promise<MetricPoint[]>;
  /** Every metric that the job has ever had and that is not forgotten, at most {@link mostNames}. One request a name. */
  names(job: string): Promise<string[]>;
  /** Forgets what runs of slots before this instant have left. @yields how many rows, metric by metric */
  forget(job: string, before: Instant): AsyncGenerator<number>;
  /** Forgets metrics that a job has no more. */
  forgetNames(job: string, names: readonly string[]): Promise<void>;
}

/** A job may name its metrics anew with each run: who lists them must not wait for a request for each. */
export const mostNames = 1_000;

/** Rows in one request. */
const page = 1_000;
/** Metrics that are forgotten at once. */
const together = 16;

export function metrics(table: Table<MetricPoint>): Metrics {
  const ofMetric = (job: string, metric: string, before: Instant, most: number) => {
    const prefix = keyText(metric);
    const from = before > lastInstant ? `${prefix}|` : `${prefix}|${inverted(before - 1)}`;
    return table.list(job, { from, to: `${prefix}}`, page: Math.min(most, page) });
  };
  async function* namesOf(job: string): AsyncGenerator<string> {
    for (let from = ''; ; ) {
      const next = await first(table.list(job, { from, page: 1 }));
      if (!next) return;
      yield next.value.metric;
      from = `${keyText(next.value.metric)}}`;
    }
  }
  async function forgetOf(job: string, metric: string, before: Instant): Promise<number> {
    let count = 0;
    let old: string[] = [];
    const remove = async () => {
      await table.removeAll(job, old);
      count += old.length;
      old = [];
    };
    for await (const { value } of ofMetric(job, metric, before, page)) {
      old.push(metricCodec.keys(value).rowKey);
      if (old.length === page) await remove();
    }
    await remove();
    return count;
  }
  return {
    append: (run, values) =>
      table.putAll(
        [...values].map(([metric, value]) => {
          const { job, id, slot, trigger, state } = run;
          return { job, metric, run: id, slot, trigger, state, value };
        }),
      ),
    async list(job, metric, count, before = Number.POSITIVE_INFINITY) {
      const points: MetricPoint[] = [];
      if (count <= 0) return points;
      for await (const { value } of ofMetric(job, metric, before, count)) {
        points.push(value);
        if (points.length === count) break;
      }
      return points;
    },
    async names(job) {
      const found: string[] = [];
      for await (const name of namesOf(job)) if (found.push(name) === mostNames) break;
      return found;
    },
    async *forget(job, before) {
      for await (const metric of namesOf(job)) yield await forgetOf(job, metric, before);
    },
    forgetNames: (job, names) => eachOf(names, together, (metric) => forgetOf(job, metric, Number.POSITIVE_INFINITY)),
  };
}

async function first<T>(things: AsyncIterable<T>): Promise<T | undefined> {
  for await (const thing of things) return thing;
  return undefined;
}
