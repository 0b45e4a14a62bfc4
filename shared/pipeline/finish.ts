import { type Instant, minute } from '../instant.ts';
import { onExecutor, type Parts } from '../parts.ts';
import { conclude, type Ending } from '../run/outcome.ts';
import { currentAttempt, isFinal, type Run } from '../run/run.ts';
import { type AttemptId, UnreadableResult } from '../store/attempts.ts';
import type { JobRow } from '../store/jobs.ts';
import type { Versioned } from '../store/table.ts';
import { marked, wake } from './waiting.ts';

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
    // Ours after all: it arrived, and only its answer was lost on the way.
    if (current && sameEnd(current.value, next)) return settle(parts, current.value, now);
  }
}

/** The next attempt is due at a random instant: nobody else would have written the same. */
function sameEnd(a: Run, b: Run): boolean {
  const { state, nextAttemptAt, endedAt, attempts } = a;
  if (state !== b.state || nextAttemptAt !== b.nextAttemptAt || endedAt !== b.endedAt) return false;
  return attempts.length === b.attempts.length;
}

function underWay(run: Run, attempt: number): boolean {
  return (run.state === 'starting' || run.state === 'running') && run.attempts.length === attempt;
}

/** What follows from the state that a run has reached; safe to do again. */
export async function settle(parts: Parts, run: Run, now: Instant): Promise<void> {
  const { store, emit } = parts;
  if (run.state === 'retrying') {
    emit({ type: 'attempt-failed', run });
    const at = run.nextAttemptAt ?? now;
    const entry = await store.active.get(run.job, run.id);
    if (entry) await store.active.lookAgain(entry, at + minute);
    await store.launches.put({ job: run.job, run: run.id, attempt: run.attempts.length + 1 }, at, now);
    return;
  }
  if (!isFinal(run.state)) return;
  const begun = run.attempts.length > 0;
  // Nobody has told of it: whoever cancels a run that waits has only told that it was asked for.
  if (!begun && run.cancel) emit({ type: 'run-not-started', run });
  let told = false;
  const change = await store.jobs.amend(run.job, (row) => {
    const next = released(row, run);
    // Told before the job is let go: should this host die here, the run still holds it, and whoever repairs that tells.
    if (next && begun && !told) emit({ type: 'run-finished', run });
    told ||= next !== undefined;
    return next;
  });
  if (change && marked(change.row)) await wake(parts, change.row, now, { over: run.id });
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
