import type { Job } from '../job/job.ts';
import type { ErrorClass } from './attempt.ts';
import { attemptsBegun, type Run } from './run.ts';

/** Whether trying again can help and the job still allows it. */
export function mayRetry(retry: Job['retry'], run: Run, errorClass: ErrorClass): boolean {
  return attemptsBegun(run) < retry.attempts && retry.on.includes(errorClass);
}

/**
 * Wait before the next attempt, ms: `delay`, doubled with each attempt when exponential, at most `maxDelay`, spread
 * by ±25 % so that jobs that failed together do not come back together.
 * @param begun attempts so far, from 1
 * @param random in [0, 1)
 */
export function retryDelay(retry: Job['retry'], begun: number, random: number): number {
  const growth = retry.backoff === 'exponential' ? 2 ** (begun - 1) : 1;
  return Math.round(Math.min(retry.delayMs * growth, retry.maxDelayMs) * (0.75 + random / 2));
}
