import { type Instant, iso, second } from '../instant.ts';
import type { Job } from '../job/job.ts';
import { nextSlots } from '../schedule/schedule.ts';
import type { JobRow } from './job-row.ts';
import { parseRunId, type Run, type Trigger } from './run.ts';

/** What to do with a run whose time has come, in view of the runs that hold its job already. */
export type Overlap =
  | { do: 'start' }
  | { do: 'skip'; code: 'overlap' | 'paused'; reason: string }
  /** `for`: whose end wakes it; the end of a coming scheduled run, where a backfill must not cost that its slot. */
  | { do: 'wait'; for: 'job' | 'pause' | 'slot'; reason: string }
  | { do: 'replace'; runs: string[] }
  /** It could not start at its slot, and its catch-up policy wants it no more. */
  | { do: 'miss'; reason: string };

type Policy = Pick<Job, 'overlap' | 'concurrency'>;
type Holder = JobRow['running'][number];

/**
 * Whether a run may start now, in view of its job: a pause first, then the overlap policy. A pause holds at the slot's
 * instant, not when the slot was claimed. It does not keep back what a person asked for, nor a run that has begun; a
 * backfill waits for its end.
 */
export function admit(
  job: Policy & Pick<Job, 'schedules'>,
  run: Pick<Run, 'id' | 'trigger' | 'asked' | 'attempts'>,
  row: Pick<JobRow, 'paused' | 'running' | 'last'>,
  now: Instant,
): Overlap {
  const { paused, running } = row;
  if (paused && run.attempts.length === 0) {
    const reason = `paused by ${paused.by}${paused.why ? `: ${paused.why}` : ''}`;
    if (isBackfill(run)) return { do: 'wait', for: 'pause', reason };
    if (run.asked === null) return { do: 'skip', code: 'paused', reason };
  }
  const decision = overlap(job, run, running);
  if (decision.do !== 'start' || !isBackfill(run) || run.attempts.length > 0) return decision;
  const slot = costs(job, row, now);
  if (slot === undefined) return decision;
  return { do: 'wait', for: 'slot', reason: `the slot ${iso(slot)} of this job comes first` };
}

/**
 * The job's policy decides for runs that are expected at one instant or wanted by a person. Catch-up and backfill are
 * patient: they wait their turn, and a backfill never costs a scheduled run its slot. An older slot replaces no newer.
 */
export function overlap(job: Policy, run: Pick<Run, 'id' | 'trigger'>, running: readonly Holder[]): Overlap {
  const others = running.filter((other) => other.run !== run.id);
  const first = others[0];
  if (others.length < running.length || first === undefined) return { do: 'start' };

  const together = job.overlap === 'allow' || (isBackfill(run) && others.every(isBackfill));
  if (together && others.length < job.concurrency) return { do: 'start' };

  const reason = `${first.run} of this job is still under way`;
  const patient = isBackfill(run) || run.trigger === 'catch-up' || others.every(isBackfill);
  const wait = { do: 'wait', for: 'job', reason } as const;
  if (patient || job.overlap === 'queue' || job.overlap === 'allow') return wait;
  if (job.overlap !== 'replace') return { do: 'skip', code: 'overlap', reason };
  const newer = others.find((other) => slotOf(other.run) > slotOf(run.id));
  if (!newer) return { do: 'replace', runs: others.map((other) => other.run) };
  if (run.trigger !== 'schedule') return wait;
  return { do: 'skip', code: 'overlap', reason: `${newer.run}, a newer slot of this job, is under way` };
}

/** A scheduled run this close is not kept from starting on time. */
const reserve = 2 * second;

/**
 * The coming slot that a backfill would cost if it started now: it is due in a moment, or, should this take as long as
 * the job's last run, could not start any more while it must. Undefined: none.
 */
function costs(
  job: Policy & Pick<Job, 'schedules'>,
  { running, last }: Pick<JobRow, 'running' | 'last'>,
  now: Instant,
): Instant | undefined {
  if (job.overlap === 'allow' && running.length + 1 < job.concurrency) return undefined;
  const end = now + (last?.durationMs ?? 0);
  for (const { schedule, mustStartWithinMs } of job.schedules) {
    const slot = nextSlots(schedule, now, 1)[0];
    if (slot === undefined) continue;
    if (slot <= now + reserve || (mustStartWithinMs !== null && slot < end && end > slot + mustStartWithinMs))
      return slot;
  }
  return undefined;
}

/** Runs that wait for a place, and how many of them may try for one. */
export interface Turn {
  runs: string[];
  places: number;
}

/**
 * Who may try next when a place may have become free: the first turn in which some run still waits. People's and
 * scheduled runs come before backfills, oldest slot first; backfills only while no other waits.
 */
export function turns(job: Policy, waiting: readonly { run: string; trigger: Trigger }[], running: number): Turn[] {
  const free = Math.max(job.concurrency - running, 0);
  const ids = (runs: typeof waiting) => runs.map(({ run }) => run);
  return [
    { runs: ids(waiting.filter((run) => !isBackfill(run))), places: job.overlap === 'allow' ? free : 1 },
    { runs: ids(waiting.filter(isBackfill)), places: free },
  ];
}

/**
 * Whether runs of this job wait for each other in order: a later one must not overtake those that wait. Where two at once
 * are forbidden, they wait after the platform was unavailable, if all of them are caught up.
 */
export function keepsOrder(
  { overlap, schedules }: Pick<Job, 'overlap' | 'schedules'>,
  { trigger }: Pick<Run, 'trigger'>,
): boolean {
  if (trigger === 'backfill') return false;
  if (overlap === 'forbid') return schedules.some(({ catchUp }) => catchUp === 'all');
  return overlap === 'queue' || overlap === 'allow';
}

/**
 * What the catch-up policy says of a run that could not start at its slot because the platform was unavailable: `latest`
 * runs only the newest that waited, as after an outage of our own. Undefined: it waited for something else.
 */
export function afterPlatform(
  { overlap, schedules }: Pick<Job, 'overlap' | 'schedules'>,
  { trigger, reasonCode }: Pick<Run, 'trigger' | 'reasonCode'>,
): 'latest' | 'all' | 'none' | undefined {
  if (overlap !== 'forbid' || trigger !== 'schedule' || reasonCode !== 'platform') return undefined;
  const policies = schedules.map(({ catchUp }) => catchUp);
  return policies.includes('all') ? 'all' : policies.includes('latest') ? 'latest' : 'none';
}

function slotOf(run: string): Instant {
  return parseRunId(run)?.slot ?? 0;
}

function isBackfill({ trigger }: { trigger: Trigger }): boolean {
  return trigger === 'backfill';
}
