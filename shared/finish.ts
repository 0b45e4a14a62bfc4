import { type Instant, minute } from './instant.ts';
import { conclude, type Ending } from './outcome.ts';
import { turns } from './overlap.ts';
import { onExecutor, type Parts } from './parts.ts';
import { currentAttempt, isFinal, parseRunId, type Run } from './run.ts';
import { type AttemptId, UnreadableResult } from './store/attempts.ts';
import type { JobRow } from './store/jobs.ts';
import type { Store } from './store/store.ts';
import type { Versioned } from './store/table.ts';

/** A launch may come this much before its slot, as the clocks of queue and host differ, ms. */
export const early = 1_000;

/** Looks whether an attempt has left its result, and if so ends it. A nudge may come twice, late, or never. */
export async function finish(parts: Parts, id: AttemptId, now: Instant): Promise<void> {
  const [found, result] = await Promise.all([parts.store.runs.get(id.job, id.run), endingOf(parts, id)]);
  const ending = result ?? (found && (await silentEnd(parts, found.value, id)));
  if (found && ending) await end(parts, found, id.attempt, ending, now);
}

/** An attempt that left no result, and whose shim is known to be gone. One that nobody began is left to the watch. */
async function silentEnd(parts: Parts, run: Run, id: AttemptId): Promise<Ending | undefined> {
  const attempt = currentAttempt(run);
  if (!attempt || !underWay(run, id.attempt)) return undefined;
  const { executor, store } = onExecutor(parts, attempt.executor);
  const status = await executor.status({ ...id, handle: attempt.handle });
  if (status !== 'ended' && status !== 'out-of-memory') return undefined;
  if ((await store.attempts.begun(id)) === undefined) return undefined;
  // It may have written its result between our two looks.
  const late = await endingOf(parts, id);
  if (late) return late;
  return status === 'ended' ? { kind: 'lost', message: 'it ended without leaving a result' } : { kind: status };
}

/** What an attempt's own result says; undefined: it has left none yet. */
export async function endingOf({ store }: Parts, id: AttemptId): Promise<Ending | undefined> {
  try {
    const result = await store.attempts.result(id);
    return result && { kind: 'result', result };
  } catch (error) {
    if (!(error instanceof UnreadableResult)) throw error;
    return { kind: 'unreadable', message: error.message };
  }
}

/**
 * Ends an attempt and does what follows from it: the next attempt is queued, or the run is over. Reads again and
 * decides again when somebody else changed the row meanwhile.
 */
export async function end(
  parts: Parts,
  found: Versioned<Run>,
  attempt: number,
  ending: Ending,
  now: Instant,
): Promise<void> {
  const job = parts.catalog().get(found.value.job)?.job;
  let current: Versioned<Run> | undefined = found;
  while (current && underWay(current.value, attempt)) {
    const next = conclude(current.value, ending, job, now, Math.random());
    const written = await parts.store.runs.replace(next, current.etag);
    if (written) {
      await settle(parts, written.value, now);
      return;
    }
    current = await parts.store.runs.get(found.value.job, found.value.id);
  }
}

function underWay(run: Run, attempt: number): boolean {
  return (run.state === 'starting' || run.state === 'running') && run.attempts.length === attempt;
}

/** What follows from the state that a run has reached; safe to do again. */
export async function settle(parts: Parts, run: Run, now: Instant): Promise<void> {
  const { store, journal } = parts;
  if (run.state === 'retrying') {
    journal({ type: 'attempt-failed', run });
    const at = run.nextAttemptAt ?? now;
    const entry = await store.active.get(run.job, run.id);
    if (entry) await store.active.lookAgain(entry, at + minute);
    await store.launches.put({ job: run.job, run: run.id, attempt: run.attempts.length + 1 }, at, now);
    return;
  }
  if (!isFinal(run.state)) return;
  const change = await store.jobs.amend(run.job, (row) => released(row, run));
  if (change?.written) journal({ type: 'run-finished', run });
  if (change && change.row.waiting !== null) await wake(parts, run.job, now, change.row, run.id);
  // Last: as long as this entry is there, the watch does all of the above again.
  await store.active.remove(run.job, run.id);
}

/** The job without this run among those that hold it; undefined when it held nothing, so that it counts once. */
function released(row: JobRow, run: Run): JobRow | undefined {
  const running = row.running.filter((other) => other.run !== run.id);
  if (running.length === row.running.length) return undefined;
  const good = run.state === 'succeeded';
  const counts = run.state !== 'cancelled' && run.state !== 'skipped' && run.state !== 'missed';
  const streak = good ? Math.max(row.streak, 0) + 1 : Math.min(row.streak, 0) - 1;
  const last = {
    id: run.id,
    state: run.state,
    slot: run.slot,
    endedAt: run.endedAt ?? run.slot,
    durationMs: run.startedAt !== null && run.endedAt !== null ? run.endedAt - run.startedAt : null,
    error: run.attempts.at(-1)?.error ?? null,
  };
  const newest = row.last === null || row.last.endedAt <= last.endedAt;
  return { ...row, running, last: newest ? last : row.last, streak: counts ? streak : row.streak };
}

/** The job with a mark that this run waits for a place; undefined when it has that already. */
export function waits(row: JobRow, run: string): JobRow | undefined {
  return row.waiting === run ? undefined : { ...row, waiting: run };
}

/**
 * Queues the runs of a job that wait for a place, as many as may start, and takes the job's mark away when none waits. An entry alone is no run: one whose claim died,
 * or that is over, must not take the turn of another.
 * @param over a run that is known to wait no more
 */
export async function wake({ store, catalog }: Parts, name: string, now: Instant, row: JobRow, over?: string) {
  const job = catalog().get(name)?.job;
  if (!job) return;
  const aside = new Set([...row.running.map(({ run }) => run), over]);
  const waiting: { run: string; trigger: Run['trigger'] }[] = [];
  for await (const { value } of store.active.ofJob(name)) {
    const parsed = parseRunId(value.run);
    if (!parsed || parsed.slot > now + early || aside.has(value.run)) continue;
    waiting.push({ run: value.run, trigger: parsed.trigger });
  }
  let looked = true;
  for (const { runs, places } of turns(job, waiting, row.running.length)) {
    const next = await stillQueued(store, name, runs, places);
    for (const run of next) await store.launches.put({ job: name, run, attempt: 1 }, now, now);
    if (next.length > 0) return;
    looked &&= places > 0 || runs.length === 0;
  }
  const seen = row.waiting;
  if (!looked || seen === null) return;
  // Who began to wait while we looked has written a mark of its own: that one stays.
  await store.jobs.amend(name, (current) => (current.waiting === seen ? { ...current, waiting: null } : undefined));
}

async function stillQueued({ runs }: Store, job: string, ids: string[], count: number): Promise<string[]> {
  const queued: string[] = [];
  for (const id of ids) {
    if (queued.length >= count) break;
    const found = await runs.get(job, id);
    if (found?.value.state === 'queued') queued.push(id);
  }
  return queued;
}
