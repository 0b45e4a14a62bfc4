import { type Instant, minute } from '../instant.ts';
import type { Deployed } from '../job/catalog.ts';
import { type Job, readScheduleText } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import { type Due, dueSlots } from '../run/due.ts';
import { newRun } from '../run/run.ts';
import type { JobRow } from '../store/jobs.ts';
import { claimSlots } from './claim.ts';
import { registerJob } from './deployments.ts';
import { recordMissed } from './missed.ts';

/** Slots are claimed this long before their instant, so that they start on time even when a tick is late. */
export const lookAhead = minute;

/** So many jobs are claimed at once. */
const together = 16;

/** What a tick found when it came: how late it was, and what that cost. */
export interface TickReport {
  /** How long slots had waited to be looked at, ms; 0 when ticks come as they should. */
  behindMs: number;
  /** Of jobs that lost slots to that, or start some late. */
  affected: { job: string; missed: number; late: number }[];
}

/**
 * Claims every slot between the cursor and a minute from now, whoever calls it and however often: each slot gets one
 * row. The cursor moves only after all of them are claimed, so a tick that dies is simply done again.
 */
export async function tick(parts: Parts, now: Instant): Promise<TickReport> {
  const { store, person } = parts;
  const cursor = await store.marks.get('cursor');
  const until = now + lookAhead;
  // The very first tick looks back at nothing.
  const after = cursor ?? now;
  const wanted = [...parts.catalog().values()].filter((deployed) => concerns(deployed, after, until, now));
  const affected: TickReport['affected'] = [];
  for (let at = 0; at < wanted.length; at += together) {
    const some = wanted.slice(at, at + together).map(async (deployed) => {
      const { run, missed } = await tickJob(parts, deployed, after, until, now);
      const lost = missed.filter(({ state }) => state === 'missed').reduce((sum, { slots }) => sum + slots, 0);
      const late = run.filter((slot) => slot.late).length;
      if (lost + late > 0) affected.push({ job: deployed.job.name, missed: lost, late });
    });
    await Promise.all(some);
  }
  await store.marks.advance('cursor', until, person);
  await store.marks.advance('heartbeat', now, person);
  return { behindMs: Math.max(now - after, 0), affected };
}

/** In memory: most jobs are not due, and cost no request. An old schedule matters only after an outage. */
function concerns({ job }: Deployed, after: Instant, until: Instant, now: Instant): boolean {
  if (job.status === 'decommissioned' || after >= until) return false;
  if (now - after > lookAhead) return true;
  const { run, missed } = dueSlots(job, { after, until }, now);
  return run.length + missed.length > 0;
}

async function tickJob(parts: Parts, deployed: Deployed, after: Instant, until: Instant, now: Instant): Promise<Due> {
  const found = await parts.store.jobs.get(deployed.job.name);
  const row = found?.value ?? (await registerJob(parts, deployed, undefined, now));
  const due = expected(row, deployed.job, after, until, now);
  await claim(parts, row, due, now);
  return due;
}

/** What was expected of the job: by its old schedule until the change became known, by the present one since. */
function expected(row: JobRow, job: Job, after: Instant, until: Instant, now: Instant): Due {
  const known = Math.max(after, row.since);
  const changed = Math.min(Math.max(known, row.schedulesSince), until);
  const before = dueSlots(
    { ...job, schedules: row.previousSchedules.map(readScheduleText) },
    { after: known, until: changed },
    now,
  );
  const since = dueSlots(job, { after: changed, until }, now);
  return { run: [...before.run, ...since.run], missed: [...before.missed, ...since.missed] };
}

async function claim(parts: Parts, row: JobRow, due: Due, now: Instant): Promise<void> {
  const missed = due.missed.map(({ slot, state, code, reason, slots }) =>
    newRun(row.name, slot, 'schedule', now, { state, reasonCode: code, reason, slots, endedAt: now }),
  );
  await recordMissed(parts, missed, now);
  await claimSlots(parts, row.name, due.run, now);
}
