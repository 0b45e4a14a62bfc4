import type { Job } from '../job/job.ts';
import type { JobRow } from '../store/jobs.ts';
import type { Run, Trigger } from './run.ts';

/** What to do with a run whose time has come, in view of the runs that hold its job already. */
export type Overlap =
  | { do: 'start' }
  | { do: 'skip'; code: 'overlap' | 'paused'; reason: string }
  | { do: 'wait'; reason: string }
  | { do: 'replace'; runs: string[] };

/**
 * Whether a run may start now, in view of its job: a pause first, then the overlap policy. A pause holds at the slot's
 * instant, not when the slot was claimed; it does not keep back what a person asked for, nor a run that has begun.
 */
export function admit(
  job: Pick<Job, 'overlap' | 'concurrency'>,
  run: Pick<Run, 'id' | 'trigger' | 'asked' | 'attempts'>,
  { paused, running }: Pick<JobRow, 'paused' | 'running'>,
): Overlap {
  if (paused && run.asked === null && run.attempts.length === 0) {
    return { do: 'skip', code: 'paused', reason: `paused by ${paused.by}${paused.why ? `: ${paused.why}` : ''}` };
  }
  return overlap(job, run, running);
}

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
  return { do: 'skip', code: 'overlap', reason };
}

/** Runs that wait for a place, and how many of them may try for one. */
export interface Turn {
  runs: string[];
  places: number;
}

/**
 * Who may try next when a place may have become free: the first turn in which somebody still waits. People's and
 * scheduled runs come before backfills, oldest slot first; backfills only while nobody else waits.
 */
export function turns(
  job: Pick<Job, 'overlap' | 'concurrency'>,
  waiting: readonly { run: string; trigger: Trigger }[],
  running: number,
): Turn[] {
  const free = Math.max(job.concurrency - running, 0);
  const ids = (runs: typeof waiting) => runs.map(({ run }) => run);
  return [
    { runs: ids(waiting.filter((run) => !isBackfill(run))), places: job.overlap === 'allow' ? free : 1 },
    { runs: ids(waiting.filter(isBackfill)), places: free },
  ];
}

function isBackfill({ trigger }: { trigger: Trigger }): boolean {
  return trigger === 'backfill';
}
