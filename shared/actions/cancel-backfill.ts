import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { cancel } from '../pipeline/cancel.ts';
import { isFinal, type Person, parseRunId, type Run } from '../run/run.ts';

/** This many runs are cancelled at once. */
const together = 16;

/**
 * Cancels every run of a job's backfills that is not over. Those that wait come first, the newest before the others, so
 * that no end starts one that is about to be cancelled.
 * @returns the runs as they are now, oldest slot first
 */
export async function cancelBackfill(parts: Parts, job: string, asked: Person, now: Instant): Promise<Run[]> {
  const { store } = parts;
  // Ends need not look for backfills any more; one that is asked for meanwhile writes a mark of its own.
  const change = await store.jobs.amend(job, (row) =>
    row.waitingBackfill === null ? undefined : { ...row, waitingBackfill: null },
  );
  const holding = new Set(change?.row.running.map(({ run }) => run));
  const ids: string[] = [];
  for await (const { value } of store.active.ofJob(job)) {
    if (parseRunId(value.run)?.trigger === 'backfill') ids.push(value.run);
  }
  const waiting = ids.filter((id) => !holding.has(id)).reverse();
  const runs: Run[] = [];
  for (const some of [waiting, ids.filter((id) => holding.has(id))]) {
    for (let at = 0; at < some.length; at += together) {
      const ended = some.slice(at, at + together).map((id) => cancel(parts, job, id, asked, now));
      for (const run of await Promise.all(ended)) if (run && isCancelled(run, now)) runs.push(run);
    }
  }
  return runs.sort((a, b) => a.slot - b.slot);
}

/** By this, or before and not over yet. One that is over stays in the list for a moment, until its end is followed up. */
const isCancelled = ({ cancel, state }: Run, now: Instant) => cancel !== null && (!isFinal(state) || cancel.at === now);
