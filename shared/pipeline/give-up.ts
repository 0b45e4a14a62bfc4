import { type Instant, iso } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { attemptsBegun, type Run } from '../run/run.ts';
import type { Versioned } from '../store/table.ts';
import { followUp } from './follow-up.ts';

/** Why a run that has not begun is no longer worth a start; undefined: it is. */
export function tooLate(run: Run, now: Instant): Partial<Run> | undefined {
  if (run.startBy === null || now <= run.startBy || attemptsBegun(run) > 0) return undefined;
  const why = run.attempts.at(-1)?.error;
  const reason = `could not start by ${iso(run.startBy)}${why ? `: ${why}` : ''}`;
  return { state: 'missed', reasonCode: 'start-within', reason, nextAttemptAt: null };
}

/** Ends a run that does not start, and does what follows. Losing the race is fine: who won has decided. */
export async function giveUp(parts: Parts, found: Versioned<Run>, change: Partial<Run>, now: Instant): Promise<void> {
  const run: Run = { ...found.value, endedAt: now, ...change };
  if (await parts.store.runs.replace(run, found.etag)) return followUp(parts, run, now);
  const current = (await parts.store.runs.get(run.job, run.id))?.value;
  // Ours after all: it arrived, and only its answer was lost on the way.
  const { state, reasonCode, reason, endedAt } = run;
  if (current?.state !== state || current.endedAt !== endedAt) return;
  if (current.reasonCode === reasonCode && current.reason === reason) await followUp(parts, current, now);
}
