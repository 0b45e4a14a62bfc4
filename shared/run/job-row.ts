import type { Instant } from '../instant.ts';
import type { ScheduleText } from '../job/job.ts';
import type { JobEvent } from './job-event.ts';
import type { Person, RunState, Trigger } from './run.ts';

export interface LastRun {
  id: string;
  state: RunState;
  slot: Instant;
  endedAt: Instant;
  durationMs: number | null;
  error: string | null;
}

export interface PastSchedules {
  since: Instant;
  schedules: ScheduleText[];
}

/** What the service knows of a job beyond its manifest; the one place where its runs are held apart. */
export interface JobRow {
  name: string;
  /** First seen: slots before it were never expected. */
  since: Instant;
  bundle: string;
  schedules: ScheduleText[];
  /** When `schedules` took effect. */
  schedulesSince: Instant;
  /** What was in force before, oldest first, each until the next one's `since`: a long outage may hide many changes. */
  pastSchedules: PastSchedules[];
  /** When the package was made that the above comes from, and when it was registered; 0: not known. */
  made: Instant;
  deployedAt: Instant;
  /** Events of the last deployment that are not known to be written yet: the row is the intent. */
  unwritten: JobEvent[];
  paused: (Person & { at: Instant }) | null;
  /** Runs that hold the job: started, or waiting for their next attempt. */
  running: { run: string; trigger: Trigger }[];
  /**
   * The run that was the last to find the job taken, and the last one of a backfill; null: none waits, and the one that ends
   * need not look. Written by each that begins to wait, so that a mark which was seen before looking can be removed
   * without losing a later one.
   */
  waiting: string | null;
  waitingBackfill: string | null;
  last: LastRun | null;
  /** Successes in a row, or failures as a negative number. */
  streak: number;
  /**
   * When an incident that the end of a run may end was last opened, written before the incident; 0: not known; null: none is
   * open, and an end that shows nothing need not look for one.
   */
  alarmed: Instant | null;
}

/** A job as it is when it is first seen. */
export function newJobRow(name: string, now: Instant, more: Partial<JobRow> = {}): JobRow {
  return {
    name,
    since: now,
    bundle: '',
    schedules: [],
    schedulesSince: now,
    pastSchedules: [],
    made: 0,
    deployedAt: now,
    unwritten: [],
    paused: null,
    running: [],
    waiting: null,
    waitingBackfill: null,
    last: null,
    streak: 0,
    alarmed: null,
    ...more,
  };
}
