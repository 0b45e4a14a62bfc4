import type { JobRow } from '../run/job-row.ts';
import { LastWritten } from './last-written.ts';
import { briefly, brieflyAsked } from './property.ts';
import { type Codec, readInstant, type Table, type Versioned } from './table.ts';

const partition = 'jobs';
const parts = ['schedules', 'pastSchedules', 'unwritten', 'paused', 'running', 'last'] as const;
const marks = ['waiting', 'waitingBackfill'] as const;
const dates = ['since', 'schedulesSince'] as const;
const datesSince = ['made', 'deployedAt'] as const;
/** Kept empty these take no room. */
const lists: readonly string[] = ['pastSchedules', 'unwritten'];

export const jobCodec: Codec<JobRow> = {
  keys: ({ name }) => ({ partitionKey: partition, rowKey: name }),
  encode(whole) {
    const job = fitted(whole);
    const row: Record<string, unknown> = { bundle: job.bundle, streak: job.streak };
    for (const name of marks) row[name] = job[name];
    for (const name of [...dates, ...datesSince]) row[name] = new Date(job[name]);
    // A version that does not know of this leaves it out, and then nothing is known.
    row.alarmed = job.alarmed === null ? 'no' : new Date(job.alarmed);
    for (const name of parts) {
      const value = job[name];
      const empty = value === null || (lists.includes(name) && Array.isArray(value) && value.length === 0);
      row[name] = empty ? null : JSON.stringify(value);
    }
    return row;
  },
  decode(row) {
    const job: Record<string, unknown> = { name: row.rowKey, bundle: row.bundle, streak: row.streak };
    for (const name of marks) job[name] = row[name] ?? null;
    for (const name of dates) job[name] = readInstant(row[name]);
    // Rows of an earlier version have none.
    for (const name of datesSince) job[name] = row[name] === undefined ? 0 : readInstant(row[name]);
    job.alarmed = row.alarmed === undefined ? 0 : row.alarmed === 'no' ? null : readInstant(row.alarmed);
    for (const name of parts) {
      const text = row[name] as string | undefined;
      job[name] = text === undefined ? (lists.includes(name) ? [] : null) : JSON.parse(text);
    }
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
  /** Undefined: another host has written since it was read. */
  replace(row: JobRow, etag: string): Promise<Versioned<JobRow> | undefined>;
  insert(row: JobRow): Promise<Versioned<JobRow> | undefined>;
  /**
   * Reads, changes and writes until no other host wrote in between. `change` returns undefined to leave the row alone; it
   * may be asked more than once, and what it says last is of the row as it is.
   * @returns the row as it is now, and whether it was written.
   */
  amend(
    name: string,
    change: (row: JobRow) => JobRow | undefined,
  ): Promise<{ row: JobRow; written: boolean } | undefined>;
  /** @param unreadable called with the name of a job whose row cannot be read; not given: the listing fails there */
  all(unreadable?: (name: string, error: unknown) => void): AsyncIterable<Versioned<JobRow>>;
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
    async insert(row) {
      const written = await table.insert(row);
      if (written) recent.set(row.name, written);
      return written;
    },
    async amend(name, change) {
      // No other host may have written since we did: then the read is saved.
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
    all: (unreadable) => table.list(partition, unreadable && { unreadable }),
  };
}
