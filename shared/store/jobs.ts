import type { Instant } from '../instant.ts';
import type { ScheduleText } from '../job/job.ts';
import type { Person, RunState, Trigger } from '../run/run.ts';
import { LastWritten } from './last-written.ts';
import { briefly, brieflyAsked } from './property.ts';
import { type Codec, readInstant, type Table, type Versioned } from './table.ts';

export interface LastRun {
  id: string;
  state: RunState;
  slot: Instant;
  endedAt: Instant;
  durationMs: number | null;
  error: string | null;
}

/** What the service knows of a job beyond its manifest; the one place where its runs are held apart. */
export interface JobRow {
  name: string;
  /** First seen: slots before it were never expected. */
  since: Instant;
  bundle: string;
  schedules: ScheduleText[];
  /** When `schedules` took effect, and what was in force until then. */
  schedulesSince: Instant;
  previousSchedules: ScheduleText[];
  paused: (Person & { at: Instant }) | null;
  /** Runs that hold the job: started, or waiting for their next attempt. */
  running: { run: string; trigger: Trigger }[];
  /**
   * The run that was the last to find the job taken, and the last one of a backfill; null: none waits, and whoever ends
   * need not look. Written by each that begins to wait, so that a mark which was seen before looking can be taken away
   * without losing a later one.
   */
  waiting: string | null;
  waitingBackfill: string | null;
  last: LastRun | null;
  /** Successes in a row, or failures as a negative number. */
  streak: number;
}

const partition = 'jobs';
const parts = ['schedules', 'previousSchedules', 'paused', 'running', 'last'] as const;
const marks = ['waiting', 'waitingBackfill'] as const;

export const jobCodec: Codec<JobRow> = {
  keys: ({ name }) => ({ partitionKey: partition, rowKey: name }),
  encode(whole) {
    const job = fitted(whole);
    const row: Record<string, unknown> = { bundle: job.bundle, streak: job.streak };
    for (const name of marks) row[name] = job[name];
    row.since = new Date(job.since);
    row.schedulesSince = new Date(job.schedulesSince);
    for (const name of parts) row[name] = job[name] === null ? null : JSON.stringify(job[name]);
    return row;
  },
  decode(row) {
    const job: Record<string, unknown> = { name: row.rowKey, bundle: row.bundle, streak: row.streak };
    for (const name of marks) job[name] = row[name] ?? null;
    job.since = readInstant(row.since);
    job.schedulesSince = readInstant(row.schedulesSince);
    for (const name of parts) job[name] = JSON.parse((row[name] as string | undefined) ?? 'null');
    return job as unknown as JobRow;
  },
};

function fitted(job: JobRow): JobRow {
  const last = job.last && { ...job.last, error: briefly(job.last.error) };
  return { ...job, last, paused: job.paused && brieflyAsked(job.paused) };
}

export interface JobRows {
  get(name: string): Promise<Versioned<JobRow> | undefined>;
  /** As this process wrote it last; good for a conditional write only. */
  guess(name: string): Versioned<JobRow> | undefined;
  /** Undefined: somebody else has written since it was read. */
  replace(row: JobRow, etag: string): Promise<Versioned<JobRow> | undefined>;
  insert(row: JobRow): Promise<Versioned<JobRow> | undefined>;
  /**
   * Reads, changes and writes until nobody else wrote in between. `change` returns undefined to leave the row alone; it
   * may be asked more than once, and what it says last is of the row as it is.
   * @returns the row as it is now, and whether it was written.
   */
  amend(
    name: string,
    change: (row: JobRow) => JobRow | undefined,
  ): Promise<{ row: JobRow; written: boolean } | undefined>;
  all(): AsyncIterable<Versioned<JobRow>>;
}

/** Rows of jobs that are kept at hand; each takes about a kilobyte. */
const mostRecent = 1_000;

export function jobRows(table: Table<JobRow>): JobRows {
  const get = (name: string) => table.get(partition, name);
  const recent = new LastWritten<Versioned<JobRow>>(mostRecent);

  async function write(changed: JobRow, etag: string) {
    const written = await table.replace(changed, etag);
    if (written) recent.set(changed.name, written);
    else recent.delete(changed.name);
    return written;
  }

  return {
    get,
    guess: (name) => recent.get(name),
    replace: write,
    insert: table.insert,
    async amend(name, change) {
      // Nobody else may have written since we did: then the read is saved.
      const ours = recent.get(name);
      const guess = ours && change(ours.value);
      const saved = ours && guess && (await write(guess, ours.etag));
      if (saved) return { row: saved.value, written: true };
      for (;;) {
        const found = await get(name);
        if (!found) return undefined;
        const changed = change(found.value);
        if (!changed) return { row: found.value, written: false };
        const written = await write(changed, found.etag);
        if (written) return { row: written.value, written: true };
      }
    },
    all: () => table.list(partition),
  };
}
