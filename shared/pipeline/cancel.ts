import type { Instant } from '../instant.ts';
import { onExecutor, type Parts } from '../parts.ts';
import { currentAttempt, isFinal, type Person, type Run } from '../run/run.ts';
import { brieflyAsked } from '../store/property.ts';
import { followUp } from './follow-up.ts';

/**
 * Ends a run, or keeps it from starting. The audit says so before it is done: whatever dies or gets lost afterwards, no
 * run is cancelled without it.
 * @returns the run as it is now; a final one is left as it is.
 */
export async function cancel(
  parts: Parts,
  job: string,
  id: string,
  asked: Person,
  now: Instant,
): Promise<Run | undefined> {
  const { store, emit } = parts;
  /** Ours after all: it arrived, and only its answer was lost on the way. */
  const kept = brieflyAsked(asked);
  const isOurs = ({ cancel }: Run) => cancel?.at === now && cancel.by === kept.by && cancel.why === kept.why;
  for (let tried = false; ; tried = true) {
    const found = await store.runs.get(job, id);
    const ours = tried && found !== undefined && isOurs(found.value);
    if (!found || (isFinal(found.value.state) && !ours)) return found?.value;
    // Asked already, and under way: the executor is asked again, and that is no news.
    if (found.value.cancel && !ours) {
      await stop(parts, found.value, now);
      return found.value;
    }
    if (!tried) await store.events.append({ job, at: now, kind: 'cancelled', ...asked, details: { run: id } });
    const written = ours ? found : await store.runs.replace(cancelled(found.value, asked, now), found.etag);
    if (!written) continue;
    emit({ type: 'run-cancel-asked', run: written.value });
    await (isFinal(written.value.state) ? followUp(parts, written.value, now) : stop(parts, written.value, now));
    return written.value;
  }
}

/** One that waits is over at once; one that runs is over when its shim has ended. */
function cancelled(run: Run, asked: Person, now: Instant): Run {
  const waits = run.state === 'queued' || run.state === 'retrying';
  const end: Partial<Run> = waits ? { state: 'cancelled', reason: asked.why || null, endedAt: now } : {};
  return { ...run, cancel: { ...asked, at: now }, ...end };
}

/** The watch asks again, should this stop be lost. */
async function stop(parts: Parts, run: Run, now: Instant): Promise<void> {
  const attempt = currentAttempt(run);
  if (!attempt) return;
  const { store, executor, emit } = onExecutor(parts, attempt.executor);
  await executor
    .stop({ job: run.job, run: run.id, attempt: attempt.number, handle: attempt.handle })
    .catch((error) => emit({ type: 'trouble', doing: `stopping ${run.job}.${run.id}`, error }));
  const entry = await store.active.get(run.job, run.id);
  if (entry) await store.active.lookAgain(entry, now);
}
