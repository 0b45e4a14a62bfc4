import type { Job } from './job.ts';
import type { Run, Trigger } from './run.ts';

/** What to do with a run whose time has come, in view of the runs that hold its job already. */
export type Overlap =
  | { do: 'start' }
  | { do: 'skip'; reason: string }
  | { do: 'wait'; reason: string }
  | { do: 'replace'; runs: string[] };

/**
 * The job's policy decides for runs that are expected at one instant or wanted by a person. Catch-up and backfill are
 * patient: they wait their turn, and a backfill never costs a scheduled run its slot.
 */
export function overlap(
  job: Pick<Job, 'overlap' | 'concurrency'>,
  run: Pick<Run, 'id' | 'trigger'>,
  running: readonly { run: string; trigger: Trigger }[],
): Overlap {
  const others = running.filter((other) => other.run !== run.id);
  const first = others[0];
  if (others.length < running.length || first === undefined) return { do: 'start' };

  const together = job.overlap === 'allow' || (run.trigger === 'backfill' && others.every(isBackfill));
  if (together && others.length < job.concurrency) return { do: 'start' };

  const reason = `${first.run} of this job is still under way`;
  const patient = run.trigger === 'backfill' || run.trigger === 'catch-up' || others.every(isBackfill);
  if (patient || job.overlap === 'queue' || job.overlap === 'allow') return { do: 'wait', reason };
  if (job.overlap === 'replace') return { do: 'replace', runs: others.map((other) => other.run) };
  return { do: 'skip', reason };
}

/**
 * Which of the waiting runs to try next when a place may have become free: people's and scheduled runs before
 * backfills, oldest slot first; backfills only while nobody else waits.
 */
export function nextWaiting(
  job: Pick<Job, 'overlap' | 'concurrency'>,
  waiting: readonly { run: string; trigger: Trigger }[],
  running: number,
): string[] {
  const free = Math.max(job.concurrency - running, 0);
  const urgent = waiting.filter((run) => !isBackfill(run));
  const next = urgent.length === 0 ? waiting.slice(0, free) : urgent.slice(0, job.overlap === 'allow' ? free : 1);
  return next.map(({ run }) => run);
}

function isBackfill({ trigger }: { trigger: Trigger }): boolean {
  return trigger === 'backfill';
}
