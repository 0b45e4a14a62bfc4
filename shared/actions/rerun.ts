import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { enqueue } from '../pipeline/claim.ts';
import { newRun, type Person, type Run, runId } from '../run/run.ts';
import { unique } from './run-now.ts';

/** Runs the same slot with the same arguments again, as a run of its own: the past stays as it was. */
export async function rerun(parts: Parts, past: Run, asked: Person, now: Instant, token = unique()): Promise<Run> {
  const { job, slot, args } = past;
  const run = newRun(job, slot, 'rerun', now, { id: runId(slot, 'rerun', token), args, asked, repeats: past.id });
  const details = { run: run.id, repeats: past.id };
  await parts.store.events.append({ id: run.id, job, at: now, kind: 'rerun', ...asked, details });
  await enqueue(parts, run, now);
  return run;
}
