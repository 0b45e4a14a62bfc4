import type { JobRow, LastRun } from './job-row.ts';
import { isBegun, type Run } from './run.ts';

/**
 * The job after runs of it have become final: they hold it no more, and count in its summary. A run that began counts
 * while it holds the job, one that never began while none that ended later has counted: so each counts once, however
 * often this is asked. Pure.
 * @param runs oldest slot first. @returns undefined: nothing changes
 */
export function afterEnd(row: JobRow, runs: readonly Run[]): JobRow | undefined {
  return runs.reduce<JobRow | undefined>((after, run) => afterOne(after ?? row, run) ?? after, undefined);
}

function afterOne(row: JobRow, run: Run): JobRow | undefined {
  const running = row.running.filter((other) => other.run !== run.id);
  const held = running.length < row.running.length;
  const last = lastOf(run);
  const newest = isNewer(last, row.last);
  if (!held && (isBegun(run) || !newest)) return undefined;
  return { ...row, running, last: newest ? last : row.last, streak: streakAfter(row.streak, run) };
}

/**
 * Successes in a row, or failures as a negative number; a missed slot is a failure. Being skipped in favour of another
 * run ends a row of successes and is no failure; a pause, or what a person cancelled, says nothing of the job.
 */
function streakAfter(streak: number, { state, reasonCode, slots }: Run): number {
  if (state === 'succeeded') return Math.max(streak, 0) + 1;
  if (state === 'cancelled') return streak;
  if (state === 'skipped') return reasonCode === 'overlap' ? Math.min(streak, 0) : streak;
  return Math.min(streak, 0) - slots;
}

function lastOf(run: Run): LastRun {
  return {
    id: run.id,
    state: run.state,
    slot: run.slot,
    endedAt: run.endedAt ?? run.slot,
    durationMs: run.startedAt !== null && run.endedAt !== null ? run.endedAt - run.startedAt : null,
    error: run.attempts.at(-1)?.error ?? null,
  };
}

function isNewer(one: LastRun, other: LastRun | null): boolean {
  if (other === null || one.endedAt !== other.endedAt) return other === null || one.endedAt > other.endedAt;
  return one.slot > other.slot;
}
