import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { enqueue } from '../pipeline/claim.ts';
import { marked, wake } from '../pipeline/waiting.ts';
import { dueSlots } from '../run/due.ts';
import type { JobRow } from '../run/job-row.ts';
import { newRun, type Person, type Run, runId } from '../run/run.ts';
import { brieflyAsked } from '../store/property.ts';

/** From now on slots of the job are skipped, and backfills wait; a run that is under way goes on. False: it was paused already. */
export async function pause(parts: Parts, job: string, asked: Person, now: Instant): Promise<boolean> {
  const found = await parts.store.jobs.get(job);
  const paused = { ...asked, at: now };
  if (!found) return false;
  // The same request again, by its key.
  if (found.value.paused) return isSame(found.value.paused, paused);
  // First what is meant to be done: nothing is paused that the audit does not know.
  await parts.store.events.append({ job, at: now, kind: 'paused', ...asked, details: {} });
  const change = await parts.store.jobs.amend(job, (row) => (row.paused ? undefined : { ...row, paused }));
  // Written, or ours after all: it arrived, and only its answer was lost on the way.
  return change !== undefined && (change.written || isSame(change.row.paused, paused));
}

function isSame(one: JobRow['paused'], other: NonNullable<JobRow['paused']>): boolean {
  const { by, why } = brieflyAsked(other);
  return one?.at === other.at && one.by === by && one.why === why;
}

/**
 * Slots run again; what the pause skipped is caught up as each schedule's policy says, unless `catchUp` is false.
 * @returns the runs that were queued to catch up; undefined: it was not paused.
 */
export async function resume(
  parts: Parts,
  job: string,
  asked: Person,
  catchUp: boolean,
  now: Instant,
): Promise<Run[] | undefined> {
  const since = (await parts.store.jobs.get(job))?.value.paused?.at;
  if (since === undefined) return undefined;
  const caughtUp = () => (catchUp ? catchUpSkipped(parts, job, since, asked, now) : []);
  // Before the pause ends, so that resuming again does it if we die; and after, for a slot skipped at this moment.
  const before = await caughtUp();
  await parts.store.events.append({ job, at: now, kind: 'resumed', ...asked, details: {} });
  const change = await parts.store.jobs.amend(job, (row) => (row.paused ? { ...row, paused: null } : undefined));
  const after = await caughtUp();
  // Backfills have waited for this.
  if (change && marked(change.row)) await wake(parts, change.row, now, { all: true });
  return [...before, ...after];
}

async function catchUpSkipped(parts: Parts, job: string, since: Instant, asked: Person, now: Instant): Promise<Run[]> {
  const deployed = parts.catalog().get(job);
  if (!deployed) return [];
  const runs: Run[] = [];
  for (const { slot, startBy, finishBy, args } of dueSlots(deployed.job, { after: since, until: now }, now).run) {
    // A slot of this minute may still be queued; then it runs as ever.
    const skipped = await parts.store.runs.get(job, runId(slot, 'schedule'));
    if (skipped?.value.reasonCode !== 'paused') continue;
    const id = runId(slot, 'catch-up');
    const run = newRun(job, slot, 'catch-up', now, { id, startBy, finishBy, args, asked });
    if (await enqueue(parts, run, now)) runs.push(run);
  }
  return runs;
}
