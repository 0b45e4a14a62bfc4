import { enqueue } from './claim.ts';
import type { Instant } from './instant.ts';
import { note } from './note.ts';
import type { Parts } from './parts.ts';
import { isFinal, newRun, type Person, type Run, runId } from './run.ts';

/** One run for each of these slots; those that have been backfilled or have succeeded already are left out. */
export async function planBackfill({ store }: Parts, job: string, slots: Instant[]): Promise<Instant[]> {
  const done = new Set<Instant>();
  const ordered = [...slots].sort((a, b) => a - b);
  const [from, to] = [ordered[0], ordered.at(-1)];
  if (from === undefined || to === undefined) return [];
  for await (const { value } of store.runs.list(job, { from, to, page: 1_000 })) {
    if (value.state === 'succeeded' || !isFinal(value.state)) done.add(value.slot);
  }
  return ordered.filter((slot) => !done.has(slot));
}

/** @param slots as {@link planBackfill} gave them. @returns the runs that were queued; a slot in the works is not queued twice. */
export async function backfill(
  parts: Parts,
  job: string,
  slots: Instant[],
  args: string[],
  asked: Person,
  now: Instant,
): Promise<Run[]> {
  const first = parts.catalog().get(job)?.job.concurrency ?? 1;
  const claimed: Run[] = [];
  for (const slot of slots) {
    const id = await freeBackfillId(parts, job, slot);
    if (id === undefined) continue;
    const run = newRun(job, slot, 'backfill', now, { id, args, asked });
    // As many messages as can start; each run that ends wakes the next.
    if (await enqueue(parts, run, now, claimed.length < first)) claimed.push(run);
  }
  if (claimed.length > 0) {
    const range = { from: claimed[0]?.id ?? '', to: claimed.at(-1)?.id ?? '', runs: claimed.length };
    await note(parts, job, 'backfill', asked, now, range);
  }
  return claimed;
}

/** The same id for all who backfill a slot at once; after a failed backfill the next number. Undefined: under way. */
async function freeBackfillId({ store }: Parts, job: string, slot: Instant): Promise<string | undefined> {
  for (let number = 1; ; number++) {
    const id = runId(slot, 'backfill', number === 1 ? '' : `${number}`);
    const found = await store.runs.get(job, id);
    if (!found) return id;
    if (!isFinal(found.value.state) || found.value.state === 'succeeded') return undefined;
  }
}
