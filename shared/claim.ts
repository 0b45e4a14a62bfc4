import type { DueSlot } from './due.ts';
import { type Instant, minute } from './instant.ts';
import type { Parts } from './parts.ts';
import { newRun, type Run, runId } from './run.ts';

/** A queued run is looked at again this long after its slot. */
const launchGrace = 2 * minute;

/** Claims slots of a job; those that somebody has claimed already stay theirs. */
export async function claimSlots(parts: Parts, job: string, slots: DueSlot[], now: Instant): Promise<void> {
  for (const { slot, late, startBy, finishBy } of slots) {
    // Late or not, the slot has one id: it can be claimed only once.
    const id = runId(slot, 'schedule');
    await enqueue(parts, newRun(job, slot, late ? 'catch-up' : 'schedule', now, { id, startBy, finishBy }), now);
  }
}

/**
 * Claims a run and queues its first attempt at its slot. The entry for the watch comes first, so that a crash anywhere
 * in here is repaired; the row is the claim; the message comes last.
 * @returns false when the row existed already: somebody else claimed it.
 */
export async function enqueue({ store, journal }: Parts, run: Run, now: Instant, message = true): Promise<boolean> {
  const checkAfter = Math.max(run.slot, now) + launchGrace;
  await store.active.insert({ job: run.job, run: run.id, checkAfter, since: now });
  if (!(await store.runs.insert(run))) return false;
  if (message) await store.launches.put({ job: run.job, run: run.id, attempt: 1 }, run.slot, now);
  journal({ type: 'run-claimed', run });
  return true;
}
