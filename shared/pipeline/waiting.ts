import { type Instant, second } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import { turns } from '../run/overlap.ts';
import { parseRunId, type Run } from '../run/run.ts';
import type { JobRow } from '../store/jobs.ts';
import type { Store } from '../store/store.ts';

/** A launch may come this much before its slot, as the clocks of queue and host differ, ms. */
export const early = second;

/** While only backfills wait, so many more entries are read than there are places: some may be of runs that are over. */
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
  const gone = ['waiting', 'waitingBackfill'] as const;
  await store.jobs.amend(row.name, (current) => {
    const taken = gone.filter((mark) => row[mark] !== null && current[mark] === row[mark]);
    return taken.length > 0 ? { ...current, ...Object.fromEntries(taken.map((mark) => [mark, null])) } : undefined;
  });
}

/** @returns how many were queued among the first `most` that may wait; NaN: there was no place to try. */
async function wakeFirst(store: Store, job: Job, row: JobRow, now: Instant, over: string | undefined, most: number) {
  const aside = new Set([...row.running.map(({ run }) => run), over]);
  const waiting: { run: string; trigger: Run['trigger'] }[] = [];
  for await (const { value } of store.active.ofJob(row.name, most)) {
    const parsed = parseRunId(value.run);
    if (!parsed || parsed.slot > now + early || aside.has(value.run)) continue;
    waiting.push({ run: value.run, trigger: parsed.trigger });
    if (waiting.length >= most) break;
  }
  let tried = true;
  for (const { runs, places } of turns(job, waiting, row.running.length)) {
    const next = await stillQueued(store, row.name, runs, places);
    for (const run of next) await store.launches.put({ job: row.name, run, attempt: 1 }, now, now);
    if (next.length > 0) return next.length;
    tried &&= places > 0 || runs.length === 0;
  }
  return tried ? 0 : Number.NaN;
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
