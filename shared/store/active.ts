import type { Instant } from '../instant.ts';
import { gathered } from './gathered.ts';
import { type Codec, readInstant, type Table, type Versioned } from './table.ts';

/** A run that is not final, and when the watch must look at it again. */
export interface ActiveRun {
  job: string;
  run: string;
  checkAfter: Instant;
  /** When a person set out to claim it. */
  since: Instant;
  /** Steps of its follow-up that are done, while others have failed. */
  followed?: string[];
  /** What a run waits for: who frees it wakes the run, and until then no look is needed; a retry comes by itself. */
  waits?: WaitsFor;
  /** When the watch last queued its message again. */
  asked?: Instant;
  /** When the watch first saw it under way for too long. */
  suspect?: Instant;
}

/**
 * The job that others hold, a place among the attempts of all jobs, the end of a pause; `claim`: its row is missing;
 * `retry`: the time of its next attempt has not come.
 */
export type WaitsFor = 'job' | 'place' | 'pause' | 'claim' | 'retry';

const partition = 'active';
/** Limit of Table Storage for one page. */
const mostAtOnce = 1_000;

export const activeCodec: Codec<ActiveRun> = {
  keys: ({ job, run }) => ({ partitionKey: partition, rowKey: `${job}|${run}` }),
  encode: ({ checkAfter, since, followed, waits, asked, suspect }) => ({
    checkAfter: new Date(checkAfter),
    since: new Date(since),
    followed: followed && JSON.stringify(followed),
    waits,
    asked: asked === undefined ? undefined : new Date(asked),
    suspect: suspect === undefined ? undefined : new Date(suspect),
  }),
  decode(row) {
    const [job = '', run = ''] = String(row.rowKey).split('|');
    const entry: ActiveRun = { job, run, checkAfter: readInstant(row.checkAfter), since: readInstant(row.since) };
    if (row.followed !== undefined) entry.followed = JSON.parse(String(row.followed));
    if (row.waits !== undefined) entry.waits = row.waits as WaitsFor;
    if (row.asked !== undefined) entry.asked = readInstant(row.asked);
    if (row.suspect !== undefined) entry.suspect = readInstant(row.suspect);
    return entry;
  },
};

export interface Active {
  /** An entry that exists already stays as it is. */
  insert(entry: ActiveRun): Promise<void>;
  /** @returns those that were new. */
  insertAll(entries: ActiveRun[]): Promise<ActiveRun[]>;
  get(job: string, run: string): Promise<Versioned<ActiveRun> | undefined>;
  /**
   * @param more replaces what the entry says of waiting and suspicion; left out: nothing is known of either
   * @returns false when the race was lost, which is fine: the one that won has set a time as well.
   */
  lookAgain(
    entry: Versioned<ActiveRun>,
    checkAfter: Instant,
    more?: Pick<ActiveRun, 'waits' | 'suspect' | 'asked'>,
  ): Promise<boolean>;
  /** It waits no more: to be looked at by then. */
  unpark(job: string, run: string, checkAfter: Instant): Promise<void>;
  remove(job: string, run: string): Promise<void>;
  removeAll(job: string, runs: string[]): Promise<void>;
  /** Of one job, oldest slot first. @param page this many a request, at most 1,000 */
  ofJob(job: string, page?: number): AsyncIterable<Versioned<ActiveRun>>;
  /** @param unreadable called with the key of an entry that cannot be read; not given: the listing fails there */
  all(unreadable?: (key: string, error: unknown) => void): AsyncIterable<Versioned<ActiveRun>>;
}

export function active(table: Table<ActiveRun>): Active {
  const remove = gathered((keys: string[]) => table.removeAll(partition, keys));
  return {
    async insert(entry) {
      await table.insert(entry);
    },
    insertAll: (entries) => table.insertAll(entries),
    get: (job, run) => table.get(partition, `${job}|${run}`),
    async unpark(job, run, checkAfter) {
      const entry = await table.get(partition, `${job}|${run}`);
      if (!entry?.value.waits) return;
      const { waits: _waits, ...value } = entry.value;
      await table.replace({ ...value, checkAfter }, entry.etag);
    },
    async lookAgain({ value: { waits: _waits, suspect: _suspect, ...value }, etag }, checkAfter, more = {}) {
      return (await table.replace({ ...value, ...more, checkAfter }, etag)) !== undefined;
    },
    remove: (job, run) => table.remove(partition, `${job}|${run}`),
    removeAll: (job, runs) => remove(runs.map((run) => `${job}|${run}`)),
    ofJob: (job, page = mostAtOnce) =>
      table.list(partition, { from: `${job}|`, to: `${job}}`, page: Math.min(page, mostAtOnce) }),
    all: (unreadable) => table.list(partition, unreadable && { unreadable }),
  };
}
