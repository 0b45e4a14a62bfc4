import type { Job } from '../job/job.ts';
import type { ErrorClass } from './attempt.ts';
import { attemptsBegun, type Run } from './run.ts';

/** Classes of which a retry can hardly get rid: without a word from the manifest they are not retried. */
const lasting: readonly ErrorClass[] = ['syntax', 'module', 'configuration', 'authorization'];

/** Whether trying again can help and the job still allows it. See {@link noRetry} for `parts`. */
export function mayRetry(retry: Job['retry'], run: Run, errorClass: ErrorClass, parts: ErrorClass[] = []): boolean {
  return noRetry(retry, run, errorClass, parts) === null;
}

/**
 * Why there is no further attempt, in words; null: there is one.
 * @param parts classes of an exception group's parts: one that `retry.on` names is enough, unless another part is of a
 * class that a retry cannot help and `retry.on` does not name
 */
export function noRetry(
  retry: Job['retry'],
  run: Run,
  errorClass: ErrorClass,
  parts: ErrorClass[] = [],
): string | null {
  const classes = parts.length > 0 ? parts : [errorClass];
  const named = (name: ErrorClass) => retry.on.includes(name);
  const hopeless = classes.find((name) => lasting.includes(name) && !named(name));
  if (hopeless) return `retry.on does not name ${hopeless}`;
  if (!classes.some(named)) return `retry.on does not name ${[...new Set(classes)].join(', ')}`;
  const begun = attemptsBegun(run);
  if (begun < retry.attempts) return null;
  return retry.attempts === 1 ? 'retry.attempts is 1' : `all ${retry.attempts} attempts were used`;
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
