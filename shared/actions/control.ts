import { randomBytes } from 'node:crypto';
import type { Instant } from '../instant.ts';
import { onExecutor, type Parts } from '../parts.ts';
import { enqueue } from '../pipeline/claim.ts';
import { settle } from '../pipeline/finish.ts';
import { currentAttempt, isFinal, newRun, type Person, type Run, runId } from '../run/run.ts';
import { note } from './note.ts';

/** What people do to single runs; each with who and why, each in the job's events. */

/** Runs a job now, whatever its schedule says. */
export async function runNow(parts: Parts, job: string, args: string[], asked: Person, now: Instant): Promise<Run> {
  const slot = Math.floor(now / 1_000) * 1_000;
  const run = newRun(job, slot, 'manual', now, { id: runId(slot, 'manual', unique()), args, asked });
  await enqueue(parts, run, now);
  await note(parts, job, 'run-now', asked, now, { run: run.id });
  return run;
}

/** Runs the same slot with the same arguments again, as a run of its own: the past stays as it was. */
export async function rerun(parts: Parts, past: Run, asked: Person, now: Instant): Promise<Run> {
  const id = runId(past.slot, 'rerun', unique());
  const run = newRun(past.job, past.slot, 'rerun', now, { id, args: past.args, asked, repeats: past.id });
  await enqueue(parts, run, now);
  await note(parts, past.job, 'rerun', asked, now, { run: run.id, repeats: past.id });
  return run;
}

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
    // Asked already, and under way: it is told again, and that is no news.
    if (found.value.cancel) {
      await stop(parts, found.value, now);
      return found.value;
    }
    const waits = found.value.state === 'queued' || found.value.state === 'retrying';
    const change: Partial<Run> = waits ? { state: 'cancelled', reason: asked.why || null, endedAt: now } : {};
    const written = await store.runs.replace({ ...found.value, cancel: { ...asked, at: now }, ...change }, found.etag);
    if (!written) continue;
    emit({ type: 'run-cancel-asked', run: written.value });
    await note(parts, job, 'cancelled', asked, now, { run: id });
    await (waits ? settle(parts, written.value, now) : stop(parts, written.value, now));
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

function unique(): string {
  return randomBytes(3).toString('hex');
}
