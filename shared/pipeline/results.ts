import type { Parts } from '../parts.ts';
import type { AttemptResult } from '../run/attempt.ts';
import { currentAttempt, type Run } from '../run/run.ts';
import { UnreadableResult } from '../store/attempts.ts';

/** What the last attempt of a run has left; undefined: nothing, or nothing that can be read. */
export type Results = (run: Run) => Promise<AttemptResult | undefined>;

/** @param known the result that has just been read: reading it again is saved */
export function results({ store }: Parts, known?: AttemptResult): Results {
  const read = new Map<string, Promise<AttemptResult | undefined>>();
  return (run) => {
    const attempt = currentAttempt(run);
    if (!attempt || attempt.state === 'abandoned') return Promise.resolve(undefined);
    if (known?.job === run.job && known.run === run.id && known.attempt === attempt.number)
      return Promise.resolve(known);
    const found = read.get(run.id) ?? store.attempts.result({ job: run.job, run: run.id, attempt: attempt.number });
    read.set(run.id, found);
    return found.catch((error) => {
      if (error instanceof UnreadableResult) return undefined;
      throw error;
    });
  };
}
