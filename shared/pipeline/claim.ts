import { type Instant, minute } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { DueSlot } from '../run/due.ts';
import { newRun, type Run, runId } from '../run/run.ts';

/** A queued run is looked at again this long after its slot. */
const launchGrace = 2 * minute;

/** Claims slots of a job; those that somebody has claimed already stay theirs. */
export async function claimSlots(parts: Parts, job: string, slots: DueSlot[], now: Instant): Promise<void> {
  for (const { slot, late, startBy, finishBy, args } of slots) {
    // Late or not, the slot has one id: it can be claimed only once.
    const id = runId(slot, 'schedule');
    await enqueue(parts, newRun(job, slot, late ? 'catch-up' : 'schedule', now, { id, startBy, finishBy, args }), now);
  }
}

/** So many rows are written at once. */
const together = 16;

/**
 * Claims runs of one job without queueing them: entries for the watch first, then the rows.
 * @returns those that were new, in the same order
 */
export async function claimAll({ store, emit }: Parts, runs: Run[], now: Instant): Promise<Run[]> {
  await store.active.insertAll(
    runs.map(({ job, id, slot }) => ({ job, run: id, checkAfter: Math.max(slot, now) + launchGrace, since: now })),
  );
  const claimed: Run[] = [];
  for (let at = 0; at < runs.length; at += together) {
    const some = runs.slice(at, at + together);
    const written = await Promise.all(some.map((run) => store.runs.insert(run)));
    claimed.push(...some.filter((_, number) => written[number]));
  }
  for (const run of claimed) emit({ type: 'run-claimed', run });
  return claimed;
}

/**
 * Claims a run and queues its first attempt at its slot. The entry for the watch comes first, so that a crash anywhere
 * in here is repaired; the row is the claim; the message comes last.
 * @returns false when the row existed already: somebody else claimed it.
 */
export async function enqueue({ store, emit }: Parts, run: Run, now: Instant): Promise<boolean> {
  const checkAfter = Math.max(run.slot, now) + launchGrace;
  await store.active.insert({ job: run.job, run: run.id, checkAfter, since: now });
  if (!(await store.runs.insert(run))) return false;
  await store.launches.put({ job: run.job, run: run.id, attempt: 1 }, run.slot, now);
  emit({ type: 'run-claimed', run });
  return true;
}
