import type { Instant } from '../instant.ts';
import { type Codec, readInstant, type Table, type Versioned } from './table.ts';

/** A run that is not final, and when the watch must look at it again. */
export interface ActiveRun {
  job: string;
  run: string;
  checkAfter: Instant;
  /** When somebody set out to claim it. */
  since: Instant;
  /** Steps of its follow-up that are done, while others have failed. */
  followed?: string[];
}

const partition = 'active';
/** Limit of Table Storage for one page. */
const mostAtOnce = 1_000;

export const activeCodec: Codec<ActiveRun> = {
  keys: ({ job, run }) => ({ partitionKey: partition, rowKey: `${job}|${run}` }),
  encode: ({ checkAfter, since, followed }) => ({
    checkAfter: new Date(checkAfter),
    since: new Date(since),
    followed: followed && JSON.stringify(followed),
  }),
  decode(row) {
    const [job = '', run = ''] = String(row.rowKey).split('|');
    const entry = { job, run, checkAfter: readInstant(row.checkAfter), since: readInstant(row.since) };
    return row.followed === undefined ? entry : { ...entry, followed: JSON.parse(String(row.followed)) };
  },
};

export interface Active {
  /** An entry that exists already stays as it is. */
  insert(entry: ActiveRun): Promise<void>;
  insertAll(entries: ActiveRun[]): Promise<void>;
  get(job: string, run: string): Promise<Versioned<ActiveRun> | undefined>;
  /** @returns false when the race was lost, which is fine: whoever won has set a time as well. */
  lookAgain(entry: Versioned<ActiveRun>, checkAfter: Instant): Promise<boolean>;
  remove(job: string, run: string): Promise<void>;
  removeAll(job: string, runs: string[]): Promise<void>;
  /** Of one job, oldest slot first. @param page so many a request, at most 1,000 */
  ofJob(job: string, page?: number): AsyncIterable<Versioned<ActiveRun>>;
  all(): AsyncIterable<Versioned<ActiveRun>>;
}

export function active(table: Table<ActiveRun>): Active {
  return {
    async insert(entry) {
      await table.insert(entry);
    },
    async insertAll(entries) {
      await table.insertAll(entries);
    },
    get: (job, run) => table.get(partition, `${job}|${run}`),
    async lookAgain({ value, etag }, checkAfter) {
      return (await table.replace({ ...value, checkAfter }, etag)) !== undefined;
    },
    remove: (job, run) => table.remove(partition, `${job}|${run}`),
    removeAll(job, runs) {
      const keys = runs.map((run) => `${job}|${run}`);
      return keys.length === 1 ? table.remove(partition, keys[0] ?? '') : table.removeAll(partition, keys);
    },
    ofJob: (job, page = mostAtOnce) =>
      table.list(partition, { from: `${job}|`, to: `${job}}`, page: Math.min(page, mostAtOnce) }),
    all: () => table.list(partition),
  };
}
