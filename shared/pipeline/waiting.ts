import { type Instant, minute, second } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import type { JobRow } from '../run/job-row.ts';
import { turns } from '../run/overlap.ts';
import { parseRunId, type Run } from '../run/run.ts';
import type { ActiveRun } from '../store/active.ts';
import type { Store } from '../store/store.ts';
import type { Versioned } from '../store/table.ts';

/** A launch may come this much before its slot, as the clocks of queue and host differ, ms. */
export const early = second;

/** A run that was queued is looked at again this long after: its message may have got lost. */
export const repairAfter = 2 * minute;

/** Entries of one request. */
const mostRead = 1_000;

/** While only backfills wait, this many more entries are read than there are places: some may be of runs that are over. */
const spare = 16;

/** The job with a mark that this run waits for a place; undefined when it has that already. */
export function waits(row: JobRow, run: Pick<Run, 'id' | 'trigger'>): JobRow | undefined {
  const mark = run.trigger === 'backfill' ? 'waitingBackfill' : 'waiting';
  return row[mark] === run.id ? undefined : { ...row, [mark]: run.id };
}

/** Whether an end of a run must look for others. */
export function marked(row: JobRow): boolean {
  return row.waiting !== null || row.waitingBackfill !== null;
}

/**
 * Queues the runs of a job that wait for a place, as many as may start, and takes the job's marks away when none waits.
 * @param row as it is now; its marks say how far to look
 * @param over a run that is known to wait no more
 * @param all look at all of them, whatever the marks say
 */
export async function wake(
  { store, catalog }: Parts,
  row: JobRow,
  now: Instant,
  { over, all = false }: { over?: string; all?: boolean } = {},
): Promise<void> {
  const job = catalog().get(row.name)?.job;
  if (!job) return;
  const look = (most: number) => wakeFirst(store, job, row, now, over, most);
  // A backfill of years is not read whole at each of its ends: those that come first are next.
  const few = !all && row.waiting === null && row.waitingBackfill !== null;
  if (few && (await look(job.concurrency + spare)) > 0) return;
  const woken = await look(Number.POSITIVE_INFINITY);
  if (woken !== 0 || !marked(row)) return;
  // Who began to wait while we looked has written a mark of its own: that one stays.
  // Backfills that wait for the end of a pause keep theirs.
  const gone = row.paused ? (['waiting'] as const) : (['waiting', 'waitingBackfill'] as const);
  await store.jobs.amend(row.name, (current) => {
    const taken = gone.filter((mark) => row[mark] !== null && current[mark] === row[mark]);
    return taken.length > 0 ? { ...current, ...Object.fromEntries(taken.map((mark) => [mark, null])) } : undefined;
  });
}

/** @returns how many were queued among the first `most` that may wait; NaN: there was no place to try. */
async function wakeFirst(store: Store, job: Job, row: JobRow, now: Instant, over: string | undefined, most: number) {
  const waiting: Waiting[] = [];
  for await (const one of waitingRuns(store, row, now, most)) {
    if (one.run === over || (row.paused && one.trigger === 'backfill')) continue;
    waiting.push(one);
    if (waiting.length >= most) break;
  }
  const entries = new Map(waiting.map(({ run, entry }) => [run, entry]));
  let tried = true;
  for (const { runs, places } of turns(job, waiting, row.running.length)) {
    const next = await stillQueued(store, row.name, runs, places);
    for (const run of next) {
      await store.launches.put({ job: row.name, run, attempt: 1 }, now, now);
      const entry = entries.get(run);
      // No look was needed while it waited; from now on its message may get lost.
      if (entry?.value.waits) await store.active.lookAgain(entry, now + repairAfter);
    }
    if (next.length > 0) return next.length;
    tried &&= places > 0 || runs.length === 0;
  }
  return tried ? 0 : Number.NaN;
}

interface Waiting {
  run: string;
  trigger: Run['trigger'];
  entry: Versioned<ActiveRun>;
}

/** The entries of a job's runs that are due and do not hold it, oldest slot first. Those in line for a place have had their turn. */
async function* waitingRuns(store: Store, row: JobRow, now: Instant, page: number): AsyncGenerator<Waiting> {
  const holding = new Set(row.running.map(({ run }) => run));
  for await (const entry of store.active.ofJob(row.name, page)) {
    const { run, waits } = entry.value;
    const parsed = parseRunId(run);
    if (
      !parsed ||
      parsed.trigger === 'replay' ||
      parsed.slot > now + early ||
      holding.has(run) ||
      waits === 'place' ||
      waits === 'claim'
    )
      continue;
    yield { run, trigger: parsed.trigger, entry };
  }
}

/** Whether as many runs of older slots wait as there are places: then it is not this run's turn. */
export async function isOvertaking(
  { store }: Parts,
  job: Job,
  row: JobRow,
  run: Pick<Run, 'id' | 'slot'>,
  now: Instant,
): Promise<boolean> {
  const places = job.overlap === 'allow' ? job.concurrency - row.running.length : 1;
  const older: string[] = [];
  for await (const one of waitingRuns(store, row, now, mostRead)) {
    const slot = parseRunId(one.run)?.slot ?? run.slot;
    if (slot >= run.slot) break;
    if (one.trigger !== 'backfill') older.push(one.run);
  }
  return older.length > 0 && (await stillQueued(store, row.name, older, places)).length >= places;
}

/** Whether a run of a later slot waits behind the same run for the platform. */
export async function newerWaits(
  { store }: Parts,
  row: JobRow,
  run: Pick<Run, 'id' | 'slot'>,
  now: Instant,
): Promise<boolean> {
  const newer: string[] = [];
  for await (const { run: id, trigger } of waitingRuns(store, row, now, mostRead)) {
    if (trigger === 'schedule' && (parseRunId(id)?.slot ?? 0) > run.slot) newer.unshift(id);
  }
  for (const id of newer) {
    const found = (await store.runs.get(row.name, id))?.value;
    if (found?.state === 'queued' && found.reasonCode === 'platform') return true;
  }
  return false;
}

/** An entry alone is no run: one whose claim died, or that is over, must not take the turn of another. */
async function stillQueued({ runs }: Store, job: string, ids: string[], count: number): Promise<string[]> {
  const queued: string[] = [];
  for (const id of ids) {
    if (queued.length >= count) break;
    const found = await runs.get(job, id);
    if (found?.value.state === 'queued') queued.push(id);
  }
  return queued;
}
