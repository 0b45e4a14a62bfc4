import type { Instant } from '../instant.ts';
import { parseRunId, type Run } from '../run.ts';
import type { Codec, Table, Versioned } from './table.ts';

/** Thirteen digits reach the year 2286. */
const lastInstant = 9_999_999_999_999;

/** Newest slot first: row keys sort by the time that is left. */
function inverted(slot: Instant): string {
  return String(lastInstant - slot).padStart(13, '0');
}

function rowKey(id: string): string {
  const parsed = parseRunId(id);
  if (!parsed) throw new RangeError(`"${id}" is no run id such as 20261120T070000Z`);
  return `r|${inverted(parsed.slot)}|${id.split('.')[1] ?? ''}`;
}

/** What a table property may hold: 64 KiB of UTF-16. */
const propertyLimit = 32_000;

const dates = ['createdAt', 'startBy', 'finishBy', 'startedAt', 'endedAt', 'nextAttemptAt'] as const;
const texts = ['id', 'trigger', 'state', 'reason', 'reasonCode', 'repeats'] as const;
const parts = ['asked', 'args', 'cancel', 'attempts', 'versions', 'metrics', 'outputs', 'warnings'] as const;

/** Plain columns for what people filter by, JSON for the rest. */
export const runCodec: Codec<Run> = {
  keys: (run) => ({ partitionKey: run.job, rowKey: rowKey(run.id) }),
  encode(run) {
    const row: Record<string, unknown> = { slot: new Date(run.slot), slots: run.slots };
    for (const name of dates) row[name] = run[name] === null ? null : new Date(run[name]);
    for (const name of texts) row[name] = run[name];
    for (const name of parts) row[name] = json(run, name);
    row.errorClass = run.attempts.at(-1)?.errorClass ?? null;
    row.error = run.attempts.at(-1)?.error ?? null;
    row.durationMs = run.startedAt !== null && run.endedAt !== null ? run.endedAt - run.startedAt : null;
    return row;
  },
  decode(row) {
    const run: Record<string, unknown> = { job: row.partitionKey, slot: instant(row.slot), slots: row.slots };
    for (const name of dates) run[name] = instant(row[name]);
    for (const name of texts) run[name] = row[name] ?? null;
    for (const name of parts) run[name] = JSON.parse((row[name] as string | undefined) ?? 'null');
    return run as unknown as Run;
  },
};

function json(run: Run, name: (typeof parts)[number]): string | null {
  if (run[name] === null) return null;
  const text = JSON.stringify(run[name]);
  if (text.length <= propertyLimit) return text;
  if (name === 'metrics') return JSON.stringify(plainNumbers(run.metrics));
  if (name === 'attempts') return JSON.stringify([...run.attempts.slice(0, 1), ...run.attempts.slice(-10)]);
  throw new RangeError(`${name} of ${run.job}.${run.id} takes ${text.length} characters; a row holds ${propertyLimit}`);
}

/** Mixes of too many categories stay in the attempt's result; the row keeps the numbers. */
function plainNumbers(metrics: Run['metrics']): Run['metrics'] {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => typeof value === 'number'));
}

function instant(value: unknown): Instant | null {
  if (value === undefined || value === null) return null;
  return value instanceof Date ? value.getTime() : Date.parse(String(value));
}

export interface Runs {
  insert(run: Run): Promise<Versioned<Run> | undefined>;
  insertAll(runs: Run[]): Promise<void>;
  get(job: string, id: string): Promise<Versioned<Run> | undefined>;
  replace(run: Run, etag: string): Promise<Versioned<Run> | undefined>;
  /** Newest slot first; slots in [from, to], both UTC and inclusive. */
  list(job: string, range?: { from?: Instant; to?: Instant; page?: number }): AsyncIterable<Versioned<Run>>;
}

export function runs(table: Table<Run>): Runs {
  return {
    insert: table.insert,
    insertAll: table.insertAll,
    get: (job, id) => table.get(job, rowKey(id)),
    replace: table.replace,
    list: (job, { from = 0, to = lastInstant, page = 50 } = {}) =>
      table.list(job, { from: `r|${inverted(to)}`, to: `r|${inverted(from)}}`, page }),
  };
}
