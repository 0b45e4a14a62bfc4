import type { Instant } from '../../shared/instant.ts';

/** Of a job, about each full minute that counts. */
export interface Expectation {
  /** There must be a run of this slot. */
  required(slot: Instant): boolean;
  /** There may be one. */
  allowed(slot: Instant): boolean;
  /** From then on runs that wait are cancelled, as the job is removed. */
  cancelledFrom?: Instant;
}

export const everyMinute: Expectation = { required: () => true, allowed: () => true };
