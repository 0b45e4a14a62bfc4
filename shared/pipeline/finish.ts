import type { Instant } from '../instant.ts';
import { onExecutor, type Parts } from '../parts.ts';
import { conclude, type Ending } from '../run/outcome.ts';
import { forRun } from '../run/replay.ts';
import { currentAttempt, type Run } from '../run/run.ts';
import { type AttemptId, UnreadableResult } from '../store/attempts.ts';
import type { Versioned } from '../store/table.ts';
import { followUp } from './follow-up.ts';
import { isRemoved } from './removed.ts';

/** Looks whether an attempt has left its result, and if so ends it. A nudge may come twice, late, or never. */
export async function finish(parts: Parts, id: AttemptId, now: Instant): Promise<void> {
  const { runs } = parts.store;
  const guess = runs.guess(id.job, id.run);
  // Should another host have changed it since, the end is not written, and it is read then.
  const own = guess && underWay(guess.value, id.attempt) ? guess : undefined;
  const [found, result] = await Promise.all([own ?? runs.get(id.job, id.run), endingOf(parts, id)]);
  const ending = result ?? (found && (await silentEnd(parts, found.value, id)));
  if (!found || !ending) return;
  if (underWay(found.value, id.attempt)) await end(parts, found, id.attempt, ending, now);
  else if (ending.kind === 'result') await reportLate(parts, found, id.attempt, ending.result.outcome);
}

/** A result of an attempt that was given up as lost or overdue: the run stays as it ended, and says so. */
async function reportLate(parts: Parts, found: Versioned<Run>, number: number, outcome: string): Promise<void> {
  const run = found.value;
  const attempt = run.attempts[number - 1];
  // Only a result reports processor time.
  if (!attempt || attempt.cpuMs !== null || (attempt.state !== 'lost' && attempt.state !== 'timed-out')) return;
  const warning = `attempt ${number} left a result after it was given up: ${outcome}`;
  if (run.warnings.includes(warning)) return;
  parts.emit({ type: 'result-late', run, attempt: number, outcome });
  await parts.store.runs.replace({ ...run, warnings: [...run.warnings, warning] }, found.etag);
}

/** An attempt that left no result, and whose shim is known to be gone. One that no one began is left to the watch. */
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
 * Ends an attempt, and has done what follows from it: the next attempt is queued, or the run is over. Reads again and
 * decides again when another host changed the row meanwhile.
 */
export async function end(
  parts: Parts,
  found: Versioned<Run>,
  attempt: number,
  ending: Ending,
  now: Instant,
): Promise<void> {
  const deployed = parts.catalog().get(found.value.job);
  if (!deployed) {
    // A newer package may know it, whose hosts know what follows.
    const row = await parts.store.jobs.get(found.value.job);
    if (row && !isRemoved(parts.catalog(), row.value, now)) return;
  }
  const job = deployed && forRun(deployed, found.value).job;
  const known = ending.kind === 'result' ? { result: ending.result } : {};
  let current: Versioned<Run> | undefined = found;
  while (current && underWay(current.value, attempt)) {
    const next = conclude(current.value, ending, job, now, Math.random());
    const written = await parts.store.runs.replace(next, current.etag);
    if (written) {
      await followUp(parts, written.value, now, known);
      return;
    }
    current = await parts.store.runs.get(found.value.job, found.value.id);
    // Ours after all: it arrived, and only its answer was lost on the way.
    if (current && sameEnd(current.value, next)) return followUp(parts, current.value, now, known);
  }
}

/** The next attempt is due at a random instant: no other host would have written the same. */
function sameEnd(a: Run, b: Run): boolean {
  const { state, nextAttemptAt, endedAt, attempts } = a;
  if (state !== b.state || nextAttemptAt !== b.nextAttemptAt || endedAt !== b.endedAt) return false;
  return attempts.length === b.attempts.length;
}

function underWay(run: Run, attempt: number): boolean {
  return (run.state === 'starting' || run.state === 'running') && run.attempts.length === attempt;
}
