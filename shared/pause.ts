import { dueSlots } from './due.ts';
import type { Instant } from './instant.ts';
import { note } from './note.ts';
import type { Parts } from './parts.ts';
import { newRun, type Person, type Run, runId } from './run.ts';
import { enqueue } from './tick.ts';

/** From now on slots of the job are skipped; a run that is under way goes on. False: it was paused already. */
export async function pause(parts: Parts, job: string, asked: Person, now: Instant): Promise<boolean> {
  const change = await parts.store.jobs.amend(job, (row) =>
    row.paused ? undefined : { ...row, paused: { ...asked, at: now } },
  );
  if (change?.written) await note(parts, job, 'paused', asked, now, {});
  return change?.written ?? false;
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
  let since: Instant | undefined;
  const change = await parts.store.jobs.amend(job, (row) => {
    since = row.paused?.at;
    return row.paused ? { ...row, paused: null } : undefined;
  });
  if (!change?.written || since === undefined) return undefined;
  await note(parts, job, 'resumed', asked, now, {});
  const deployed = parts.catalog().get(job);
  if (!deployed || !catchUp) return [];

  const runs: Run[] = [];
  for (const { slot, startBy, finishBy } of dueSlots(deployed.job.schedules, { after: since, until: now }, now).run) {
    const id = runId(slot, 'catch-up');
    // A slot of the last minute may have been skipped just now, or is not claimed yet; then the tick runs it.
    const skipped = await parts.store.runs.get(job, runId(slot, 'schedule'));
    if (skipped?.value.state !== 'skipped') continue;
    const run = newRun(job, slot, 'catch-up', now, { id, startBy, finishBy, asked });
    if (await enqueue(parts, run, now)) runs.push(run);
  }
  return runs;
}
