import { day, type Instant } from '../instant.ts';
import type { Run, RunState, Trigger } from '../run/run.ts';
import { gathered } from './gathered.ts';
import { inverted, lastInstant } from './inverted.ts';
import { type Codec, readInstant, type Table } from './table.ts';

/** A final run of any job, as far as a list filters by it; the run itself has its own row. */
export interface RecentRun {
  job: string;
  run: string;
  slot: Instant;
  trigger: Trigger;
  state: RunState;
  endedAt: Instant;
}

/** A partition for each UTC day of slots: one partition of all would bear the writes of all jobs. */
export const recentCodec: Codec<RecentRun> = {
  keys: ({ job, run, slot }) => ({
    partitionKey: dayText(slot),
    rowKey: `${inverted(slot)}|${job}|${run.split('.')[1] ?? ''}`,
  }),
  encode: ({ job, run, slot, trigger, state, endedAt }) => ({
    job,
    run,
    slot: new Date(slot),
    trigger,
    state,
    endedAt: new Date(endedAt),
  }),
  decode: (row) => ({
    job: String(row.job),
    run: String(row.run),
    slot: readInstant(row.slot),
    trigger: row.trigger as Trigger,
    state: row.state as RunState,
    endedAt: readInstant(row.endedAt),
  }),
};

/** A day that has such a partition; newest first. */
export const dayCodec: Codec<Instant> = {
  keys: (at) => ({ partitionKey: 'days', rowKey: inverted(startOf(at)) }),
  encode: () => ({}),
  decode: (row) => lastInstant - Number(row.rowKey),
};

export interface RecentRuns {
  /** Entering a run again changes nothing. */
  append(runs: readonly Run[]): Promise<void>;
  /** Of all jobs, newest slot first; slots in [from, to]. Reads as far as needed: a page a day, and the days. */
  list(range?: { from?: Instant; to?: Instant; page?: number }): AsyncIterable<RecentRun>;
  removeAll(runs: readonly Pick<Run, 'job' | 'id' | 'slot'>[]): Promise<void>;
}

export function recentRuns(table: Table<RecentRun>, days: Table<Instant>): RecentRuns {
  const known = new Set<string>();
  /** Before the first run of it, so that no run is hidden. */
  async function open(day: string, at: Instant) {
    if (known.has(day)) return;
    await days.insert(startOf(at));
    known.add(day);
  }
  const put = gathered(async (recent: RecentRun[]) => {
    for (const [day, some] of byDay(recent)) {
      if (some[0]) await open(day, some[0].slot);
      await table.putAll(some);
    }
  });
  return {
    append: (runs) => put(runs.map(recentOf)),
    async *list({ from = 0, to = lastInstant, page = 50 } = {}) {
      const ofDays = { from: inverted(startOf(to)), to: `${inverted(startOf(from))}}` };
      for await (const { value: at } of days.list('days', ofDays)) {
        const range = { from: inverted(to), to: `${inverted(from)}}`, page };
        for await (const { value } of table.list(dayText(at), range)) yield value;
      }
    },
    async removeAll(runs) {
      for (const [day, some] of byDay(runs)) {
        const keys = some.map(({ job, id, slot }) => `${inverted(slot)}|${job}|${id.split('.')[1] ?? ''}`);
        await table.removeAll(day, keys);
      }
    },
  };
}

function recentOf({ job, id, slot, trigger, state, endedAt, createdAt }: Run): RecentRun {
  return { job, run: id, slot, trigger, state, endedAt: endedAt ?? createdAt };
}

function byDay<T extends { slot: Instant }>(runs: readonly T[]): Map<string, T[]> {
  const days = new Map<string, T[]>();
  for (const run of runs) {
    const same = days.get(dayText(run.slot));
    if (same) same.push(run);
    else days.set(dayText(run.slot), [run]);
  }
  return days;
}

function startOf(at: Instant): Instant {
  return Math.floor(at / day) * day;
}

/** `2026-11-20` */
function dayText(at: Instant): string {
  return new Date(at).toISOString().slice(0, 10);
}
