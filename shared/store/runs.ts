import type { Instant } from '../instant.ts';
import { type Attempt, isFinal, parseRunId, type Run } from '../run/run.ts';
import { cut } from '../text.ts';
import { inverted, lastInstant } from './inverted.ts';
import { LastWritten } from './last-written.ts';
import { briefly, brieflyAsked, propertyLimit } from './property.ts';
import { type Codec, readInstant, type Table, type Versioned } from './table.ts';

function rowKey(id: string): string {
  const parsed = parseRunId(id);
  if (!parsed) throw new RangeError(`"${id}" is no run id such as 20261120T070000Z`);
  // Replays stand apart: who lists the runs of a job never meets one.
  const prefix = parsed.trigger === 'replay' ? 'g' : 'r';
  return `${prefix}|${inverted(parsed.slot)}|${id.split('.')[1] ?? ''}`;
}

const dates = ['createdAt', 'startBy', 'finishBy', 'startedAt', 'endedAt', 'nextAttemptAt'] as const;
const texts = ['id', 'trigger', 'state', 'reason', 'reasonCode', 'repeats'] as const;
const parts = [
  'asked',
  'args',
  'cancel',
  'attempts',
  'versions',
  'inputs',
  'metrics',
  'outputs',
  'warnings',
  'notices',
] as const;

/** Plain columns for what people filter by, JSON for the rest. */
export const runCodec: Codec<Run> = {
  keys: (run) => ({ partitionKey: run.job, rowKey: rowKey(run.id) }),
  encode(whole) {
    const run = fitted(whole);
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
    const run: Record<string, unknown> = { job: row.partitionKey, slot: readInstant(row.slot), slots: row.slots };
    for (const name of dates) run[name] = row[name] === undefined ? null : readInstant(row[name]);
    for (const name of texts) run[name] = row[name] ?? null;
    for (const name of parts) run[name] = JSON.parse((row[name] as string | undefined) ?? 'null');
    // Rows of earlier versions have none.
    run.notices ??= [];
    run.attempts = (run.attempts as Attempt[]).map((attempt) => ({ ...leftOut, ...attempt }));
    run.inputs ??= [];
    return run as unknown as Run;
  },
};

/** Texts of a platform or a person that no property takes: the event that reports the run has had the whole. */
function fitted(run: Run): Run {
  return {
    ...run,
    reason: briefly(run.reason),
    asked: run.asked && brieflyAsked(run.asked),
    cancel: run.cancel && brieflyAsked(run.cancel),
    attempts: run.attempts.map((attempt) => ({ ...attempt, error: briefly(attempt.error) })),
    warnings: run.warnings.map(briefly),
  };
}

function json(run: Run, name: (typeof parts)[number]): string | null {
  if (run[name] === null || (name === 'notices' && run.notices.length === 0)) return null;
  const text = JSON.stringify(run[name]);
  if (text.length <= propertyLimit) return text;
  // What an attempt has left must never keep its run from ending: the row holds what fits, the result holds it all.
  if (name === 'metrics') {
    const numbers = Object.entries(run.metrics).filter(([, value]) => typeof value === 'number');
    return JSON.stringify(Object.fromEntries(fitting(numbers)));
  }
  if (name === 'outputs' || name === 'warnings') return JSON.stringify(fitting<unknown>(run[name]));
  for (const most of name === 'attempts' ? [200, 40, 0] : []) {
    const brief = JSON.stringify(run.attempts.map((attempt) => shorter(attempt, most)));
    if (brief.length <= propertyLimit) return brief;
  }
  throw new RangeError(
    `${name} of ${run.job}.${run.id} takes ${text.length} characters, and a row holds ${propertyLimit}: make it shorter`,
  );
}

/** The first of these that fit into one property. */
function fitting<T>(values: readonly T[]): T[] {
  let room = propertyLimit - 2;
  return values.filter((value) => {
    room -= JSON.stringify(value).length + 1;
    return room >= 0;
  });
}

/**
 * The versions of the last one are those of the run. One that was given up unbegun needs its reason least: hours of
 * waiting for a platform make dozens of them.
 */
function shorter({ versions: _, ...attempt }: Attempt, most: number): Partial<Attempt> {
  if (attempt.state !== 'abandoned') return { ...attempt, error: attempt.error && cut(attempt.error, most || 40) };
  if (most > 0) return { ...attempt, error: attempt.error && cut(attempt.error, most) };
  const { number, state, executor, startedAt, endedAt, errorClass, handle } = attempt;
  return { number, state, executor, startedAt, endedAt, ...(errorClass && { errorClass }), ...(handle && { handle }) };
}

/** What such an attempt leaves out. */
const leftOut = {
  handle: null,
  exitCode: null,
  signal: null,
  errorClass: null,
  error: null,
  cpuMs: null,
  peakMemoryBytes: null,
  logBytes: null,
} satisfies Partial<Attempt>;

export interface Runs {
  insert(run: Run): Promise<Versioned<Run> | undefined>;
  /** @returns those that were new. */
  insertAll(runs: Run[]): Promise<Run[]>;
  get(job: string, id: string): Promise<Versioned<Run> | undefined>;
  /** As this process wrote it last, while it is not final; good for a conditional write only. */
  guess(job: string, id: string): Versioned<Run> | undefined;
  replace(run: Run, etag: string): Promise<Versioned<Run> | undefined>;
  /** Newest slot first; slots in [from, to], both UTC and inclusive. */
  list(job: string, range?: { from?: Instant; to?: Instant; page?: number }): AsyncIterable<Versioned<Run>>;
  /** The same of its replays, which the above leaves out. */
  listReplays: Runs['list'];
  /**
   * Of the newest slot at or before `to` that has a success, the one that ended last: a rerun replaces the original.
   * Undefined: none among the newest 5,000 runs, as a job of every minute that never succeeds must not hold up a start.
   */
  newestSuccess(job: string, to?: Instant): Promise<Run | undefined>;
  removeAll(job: string, ids: string[]): Promise<void>;
}

const furthest = 5_000;
/** Rows of runs under way that are kept at hand; each takes about two kilobytes. */
const mostRecent = 1_000;

export function runs(table: Table<Run>): Runs {
  const recent = new LastWritten<Versioned<Run>>(mostRecent);
  const nameOf = ({ job, id }: Pick<Run, 'job' | 'id'>) => `${job}.${id}`;
  const kept = (run: Run, written: Versioned<Run> | undefined) => {
    if (written && written.etag !== '' && !isFinal(run.state)) recent.set(nameOf(run), written);
    else recent.delete(nameOf(run));
    return written;
  };
  const insert: Runs['insert'] = async (run) => kept(run, await table.insert(run));
  const listed =
    (prefix: string): Runs['list'] =>
    (job, { from = 0, to = lastInstant, page = 50 } = {}) =>
      table.list(job, { from: `${prefix}|${inverted(to)}`, to: `${prefix}|${inverted(from)}}`, page });
  const list = listed('r');
  return {
    insert,
    async insertAll(all) {
      const [one, ...others] = all;
      if (one && others.length === 0) return (await insert(one)) ? [one] : [];
      return table.insertAll(all);
    },
    get: (job, id) => table.get(job, rowKey(id)),
    guess: (job, id) => recent.get(nameOf({ job, id })),
    replace: async (run, etag) => kept(run, await table.replace(run, etag)),
    list,
    listReplays: listed('g'),
    async newestSuccess(job, to = lastInstant) {
      let newest: Run | undefined;
      let looked = 0;
      for await (const { value: run } of list(job, { to })) {
        if (newest && run.slot !== newest.slot) break;
        if (run.state === 'succeeded' && (run.endedAt ?? 0) >= (newest?.endedAt ?? 0)) newest = run;
        if (++looked === furthest) break;
      }
      return newest;
    },
    removeAll: (job, ids) => table.removeAll(job, ids.map(rowKey)),
  };
}
