import { seeUnderWay } from '../alerts/see.ts';
import { type Instant, iso, minute } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import type { JobRow } from '../run/job-row.ts';
import { pingPatience } from '../run/outside.ts';
import { admit } from '../run/overlap.ts';
import type { Attempt, Run } from '../run/run.ts';
import type { Versioned } from '../store/table.ts';
import { end, endingOf } from './finish.ts';
import { giveUp } from './give-up.ts';
import { notice } from './notice.ts';

/** What the launcher and the watch do about runs of external jobs: wait for pings, and give up when none comes. */

/** A slot whose job reports itself. @returns when to look again; undefined: it is over, or was changed */
export async function awaitPing(
  parts: Parts,
  job: Job,
  row: JobRow | undefined,
  found: Versioned<Run>,
  now: Instant,
): Promise<Instant | undefined> {
  const run = found.value;
  if (run.attempts.length > 0) {
    await giveUp(parts, found, { state: 'cancelled', reason: 'its job runs elsewhere now', nextAttemptAt: null }, now);
    return undefined;
  }
  const decision = row && admit({ ...job, overlap: 'allow', concurrency: Number.POSITIVE_INFINITY }, run, row, now);
  if (decision?.do === 'skip') {
    await giveUp(parts, found, { state: 'skipped', reasonCode: decision.code, reason: decision.reason }, now);
    return undefined;
  }
  // Claimed before its job became external, or asked for by a person: no ping belongs to it for good.
  const until = run.startBy ?? Math.max(run.slot, run.createdAt) + pingPatience;
  if (now <= until) return until + 1;
  const reason = `no ping came by ${iso(until)}`;
  await giveUp(parts, found, { state: 'missed', reasonCode: 'start-within', reason, nextAttemptAt: null }, now);
  return undefined;
}

/** Looks at a run that an external job has begun. @returns when to look again; undefined: it is over, or was changed */
export async function lookOutside(
  parts: Parts,
  found: Versioned<Run>,
  attempt: Attempt,
  now: Instant,
): Promise<Instant | undefined> {
  const { job, id, cancel } = found.value;
  const ending = await endingOf(parts, { job, run: id, attempt: attempt.number });
  if (ending) {
    await end(parts, found, attempt.number, ending, now);
    return undefined;
  }
  if (cancel) {
    const message = 'cancelled here; where it runs it may go on';
    await end(parts, found, attempt.number, { kind: 'lost', message }, now);
    return undefined;
  }
  await seeUnderWay(parts, found.value, attempt.startedAt, now);
  const due = attempt.startedAt + (attempt.limitMs ?? 0);
  if (now <= due) return Math.min(due + 1, now + minute);
  const noticed = await notice(parts, found, 'overdue');
  if (!noticed) return undefined;
  const message = `no ping ended it by ${iso(due)}`;
  await end(parts, noticed, attempt.number, { kind: 'overdue', message }, now);
  return undefined;
}
