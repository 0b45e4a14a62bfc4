import type { Instant } from '../instant.ts';
import { onExecutor, type Parts } from '../parts.ts';
import { currentAttempt, isFinal, type Person, type Run } from '../run/run.ts';
import { followUp } from './follow-up.ts';

/** Ends a run, or keeps it from starting. @returns the run as it is now; a final one is left as it is. */
export async function cancel(
  parts: Parts,
  job: string,
  id: string,
  asked: Person,
  now: Instant,
): Promise<Run | undefined> {
  const { store, emit } = parts;
  for (;;) {
    const found = await store.runs.get(job, id);
    if (!found || isFinal(found.value.state)) return found?.value;
    // Asked already, and under way: the executor is asked again, and that is no news.
    if (found.value.cancel) {
      await stop(parts, found.value, now);
      return found.value;
    }
    const waits = found.value.state === 'queued' || found.value.state === 'retrying';
    const change: Partial<Run> = waits ? { state: 'cancelled', reason: asked.why || null, endedAt: now } : {};
    const written = await store.runs.replace({ ...found.value, cancel: { ...asked, at: now }, ...change }, found.etag);
    if (!written) continue;
    emit({ type: 'run-cancel-asked', run: written.value });
    await store.events.append({ job, at: now, kind: 'cancelled', ...asked, details: { run: id } });
    await (waits ? followUp(parts, written.value, now) : stop(parts, written.value, now));
    return written.value;
  }
}

/** The watch asks again, should this stop be lost. */
async function stop(parts: Parts, run: Run, now: Instant): Promise<void> {
  const attempt = currentAttempt(run);
  if (!attempt) return;
  const { store, executor } = onExecutor(parts, attempt.executor);
  await executor.stop({ job: run.job, run: run.id, attempt: attempt.number, handle: attempt.handle });
  const entry = await store.active.get(run.job, run.id);
  if (entry) await store.active.lookAgain(entry, now);
}
