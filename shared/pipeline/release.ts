import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { JobRow } from '../run/job-row.ts';
import { isBegun, type Run } from '../run/run.ts';
import { afterEnd } from '../run/summary.ts';
import { marked, wake } from './waiting.ts';

/**
 * Lets a job go that final runs of it have held, enters them in its summary, and wakes those that wait for it. Safe to
 * do again: each run counts and is reported once.
 * @param runs of one job, oldest slot first
 * @returns the job as it is after that; undefined: it has no row
 */
export async function release(parts: Parts, runs: readonly Run[], now: Instant): Promise<JobRow | undefined> {
  const [first] = runs;
  if (!first) return undefined;
  const reported = new Set<string>();
  const change = await parts.store.jobs.amend(first.job, (row) => {
    for (const run of runs.filter(({ id }) => row.running.some((holder) => holder.run === id))) {
      // Before the job is let go: should this host die here, the run still holds it, and the repair reports it.
      if (isBegun(run) && !reported.has(run.id)) parts.emit({ type: 'run-finished', run });
      reported.add(run.id);
    }
    return afterEnd(row, runs);
  });
  if (change && marked(change.row)) await wake(parts, change.row, now, { over: first.id });
  return change?.row;
}
