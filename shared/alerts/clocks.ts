import { type Instant, iso, minute } from '../instant.ts';
import type { Job } from '../job/job.ts';
import { isFinal, type Run } from '../run/run.ts';
import type { Cause } from '../store/incidents.ts';

/** A clock of a run that has run out. */
export interface Ring {
  cause: Cause;
  text: string;
  group?: string;
}

/** What the service could not start in time, for whatever reason, is one cause: it was down, or it was full. */
export const serviceGroup = 'v1|service';

/** A scheduled run that has not begun this long after its slot is late, whatever its manifest says. */
export const lateAfter = 5 * minute;

/** What the row of a run that is under way does not say. */
export interface Known {
  /** When its shim began; null: it has not, or that is in the row. */
  begun: Instant | null;
  /** How long it may take before that is unusual, ms; null: nothing is usual yet. */
  tooLongMs: number | null;
}

/** The clocks of a run that have run out by `now`: while it is under way, and again when it is over. */
export function rings(run: Run, job: Job | undefined, { begun, tooLongMs }: Known, now: Instant): Ring[] {
  const found: Ring[] = [];
  const startedAt = run.startedAt ?? begun;
  const late = lateness({ ...run, startedAt }, job, now);
  if (late) found.push({ cause: 'late-start', text: late, group: serviceGroup });
  const at = isFinal(run.state) ? run.endedAt : now;
  if (run.finishBy !== null && at !== null && at > run.finishBy && run.state !== 'cancelled') {
    const when = isFinal(run.state) ? `ended at ${iso(at)}` : `still ${run.state} at ${iso(at)}`;
    found.push({ cause: 'late-finish', text: `${when}, due by ${iso(run.finishBy)}` });
  }
  if (startedAt === null) return found;
  const took = (at ?? now) - startedAt;
  if (!isFinal(run.state) && tooLongMs !== null && took > tooLongMs) {
    found.push({ cause: 'too-long', text: `running for ${spanText(took)}; usual is less than ${spanText(tooLongMs)}` });
  }
  const least = job?.minDurationMs ?? null;
  if (run.state === 'succeeded' && least !== null && took < least) {
    found.push({ cause: 'too-short', text: `took ${spanText(took)}; it must run at least ${spanText(least)}` });
  }
  return found;
}

function lateness(run: Run, job: Job | undefined, now: Instant): string | undefined {
  if (run.trigger !== 'schedule' && run.trigger !== 'catch-up') return undefined;
  if (isFinal(run.state) && run.startedAt === null) return undefined;
  // A slot that was caught up was late before anyone could start it; the outage is reported by itself.
  const expected = Math.max(run.slot, run.trigger === 'catch-up' ? run.createdAt : run.slot);
  const began = run.startedAt ?? now;
  const limit = run.startBy === null ? lateAfter : run.startBy - run.slot;
  if (began <= expected + limit) return undefined;
  // It waits for the run before it, as its manifest wants.
  if (run.startedAt === null && run.startBy === null && run.reason !== null && job?.overlap === 'queue')
    return undefined;
  const span = spanText(began - run.slot);
  if (run.startedAt !== null) return `started ${span} after its slot`;
  return `not started ${span} after its slot${run.reason ? `: ${run.reason}` : ''}`;
}

/** `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function spanText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${ms < 10_000 ? Number((ms / 1_000).toFixed(1)) : seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
