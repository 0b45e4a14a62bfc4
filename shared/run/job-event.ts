import type { Instant } from '../instant.ts';

/** What people and deployments did to a job: who, when, why. Kept for good. */
export interface JobEvent {
  job: string;
  at: Instant;
  /** Part of the key: an event that several processes may write gets one that all of them would give it. */
  id?: string;
  kind:
    | 'deployed'
    | 'schedule-changed'
    | 'paused'
    | 'resumed'
    | 'run-now'
    | 'rerun'
    | 'backfill'
    | 'cancelled'
    | 'acknowledged'
    | 'resolved'
    | 'owner-left'
    | 'silenced'
    | 'heard-again'
    | 'clock-confirmed'
    | 'imported'
    | 'drift-answered'
    | 'baseline-pinned'
    | 'baseline-reset'
    | 'replay-asked';
  by: string;
  why: string;
  /** Facts of the kind, e.g. `{ bundle, previous }` or `{ run }`. */
  details: Record<string, string | number>;
}
