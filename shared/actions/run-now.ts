import { randomBytes } from 'node:crypto';
import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { enqueue } from '../pipeline/claim.ts';
import { newRun, type Person, type Run, runId } from '../run/run.ts';

/** Runs a job now, whatever its schedule says. @param token with `now`, names the run: the same again is the same run */
export async function runNow(
  parts: Parts,
  job: string,
  args: string[],
  asked: Person,
  now: Instant,
  token = unique(),
): Promise<Run> {
  const slot = Math.floor(now / 1_000) * 1_000;
  const run = newRun(job, slot, 'manual', now, { id: runId(slot, 'manual', token), args, asked });
  // First what is meant to be done: nothing runs that the audit does not know.
  // The same request again is the same event.
  const event = { id: run.id, job, at: now, kind: 'run-now', ...asked, details: { run: run.id } } as const;
  await parts.store.events.append(event);
  await enqueue(parts, run, now);
  return run;
}

/** Sets apart the runs that people ask for, of which a slot may have several. */
export function unique(): string {
  return randomBytes(3).toString('hex');
}
