import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, terminate } from '../../shared/executors/process/pid.ts';
import type { Parts } from '../../shared/parts.ts';
import { currentAttempt } from '../../shared/run/run.ts';
import type { AttemptId } from '../../shared/store/attempts.ts';

/** Jobs that a host which is gone has started: they went on without it. */
export interface Adopted {
  running(): number;
  /** Resolves when none of them is left. */
  idle(): Promise<void>;
  /** Asks all of them to end. */
  stopAll(): void;
}

/**
 * Finds them and says when each has ended, as the executor does for its own. The watch would find the ends too, but
 * only once their heartbeats are old.
 */
export async function adopt(parts: Parts, ended: (attempt: AttemptId) => void): Promise<Adopted> {
  const handles = new Set<string>();
  const follow = async (handle: string, attempt: AttemptId) => {
    while (await isAlive(handle)) await sleep(500);
    handles.delete(handle);
    ended(attempt);
  };
  const following: Promise<void>[] = [];
  for await (const { value } of parts.store.active.all()) {
    const run = (await parts.store.runs.get(value.job, value.run))?.value;
    const attempt = run && currentAttempt(run);
    if (attempt?.executor !== 'process' || !attempt.handle || attempt.endedAt !== null) continue;
    handles.add(attempt.handle);
    following.push(follow(attempt.handle, { job: value.job, run: value.run, attempt: attempt.number }));
  }
  return {
    running: () => handles.size,
    async idle() {
      await Promise.all(following);
    },
    stopAll() {
      for (const handle of handles) void terminate(handle);
    },
  };
}
