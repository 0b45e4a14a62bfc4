import { eachOf } from '../batches.ts';
import type { Parts } from '../parts.ts';

/** When this many jobs fail and none succeeds, it is not the jobs: the step ends, and is done again as a whole. */
const outage = 20;

/**
 * Does one step for many jobs. A job for which it fails is reported and stops no other.
 * @param doing what an operator reads before the job's name
 * @returns the names of those that failed. @throws the last error when it is an outage
 */
export async function eachJob<T>(
  { emit }: Pick<Parts, 'emit'>,
  doing: string,
  jobs: Iterable<T>,
  together: number,
  nameOf: (job: T) => string,
  work: (job: T) => Promise<unknown>,
): Promise<Set<string>> {
  const failed = new Set<string>();
  let done = 0;
  await eachOf(jobs, together, async (job) => {
    try {
      await work(job);
      done += 1;
    } catch (error) {
      failed.add(nameOf(job));
      if (done === 0 && failed.size >= outage) throw error;
      emit({ type: 'trouble', doing: `${doing} ${nameOf(job)}`, error });
    }
  });
  return failed;
}
