import { lateAfter as incidentAfter } from '../alerts/clocks.ts';
import { type Instant, minute } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { attemptsBegun, isFinal, type Notice, type Run } from '../run/run.ts';
import type { Versioned } from '../store/table.ts';

/** What the watch reports of runs that are not over, once each: the row remembers it. */

/** A run that could have started is late when it has not begun this long after it was due. */
const lateAfter = 3 * minute;

/** When a run that has not begun is reported as late; undefined: no one expects it at an instant. */
export function lateAt({ trigger, slot, createdAt }: Run): Instant | undefined {
  if (trigger === 'backfill' || trigger === 'catch-up' || trigger === 'replay') return undefined;
  return Math.max(slot, trigger === 'schedule' ? slot : createdAt) + lateAfter;
}

/** The next instant at which a run must be looked at for its deadlines, whatever else it waits for; undefined: none. */
export function nextDeadline(run: Run, now: Instant): Instant | undefined {
  const { startBy, finishBy, notices } = run;
  const unbegun = attemptsBegun(run) === 0;
  const expected = run.trigger === 'schedule' || run.trigger === 'catch-up';
  const incidentAt = Math.max(run.slot, run.createdAt) + incidentAfter;
  const coming = [
    unbegun && startBy !== null && startBy >= now ? startBy + 1 : undefined,
    unbegun && expected && incidentAt >= now ? incidentAt + 1 : undefined,
    // Past already and not reported: a launch came between the instant and the tick that would have seen it.
    !notices.includes('past-finish-by') && finishBy !== null ? Math.max(finishBy + 1, now) : undefined,
  ].filter((at) => at !== undefined);
  return coming.length > 0 ? Math.min(...coming) : undefined;
}

/**
 * Reports what is so of the run and has not been reported: first the event, then the row, so that a host that dies
 * between the two leaves it to be reported again rather than never.
 * @returns the run as it is now; undefined: another host has changed it
 */
export async function notice(
  parts: Parts,
  found: Versioned<Run>,
  what: Notice,
  reason = '',
): Promise<Versioned<Run> | undefined> {
  const run = found.value;
  if (run.notices.includes(what) || isFinal(run.state)) return found;
  if (what === 'late') parts.emit({ type: 'run-late', run, reason });
  else parts.emit({ type: what === 'overdue' ? 'run-overdue' : 'run-past-finish-by', run });
  return parts.store.runs.replace({ ...run, notices: [...run.notices, what] }, found.etag);
}

/** The same for `finishBy`, where it has passed. */
export async function noticeDeadline(
  parts: Parts,
  found: Versioned<Run>,
  now: Instant,
): Promise<Versioned<Run> | undefined> {
  const { finishBy } = found.value;
  return finishBy !== null && now > finishBy ? notice(parts, found, 'past-finish-by') : found;
}
