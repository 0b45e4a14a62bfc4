import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { claimAll } from '../pipeline/claim.ts';
import { waits } from '../pipeline/waiting.ts';
import { argsOf } from '../run/due.ts';
import { isFinal, newRun, type Person, type Run, runId } from '../run/run.ts';

/** This many slots are looked up at once. */
const together = 16;

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

/** @param args for each run, after those of the schedule that names its slot. @param slots as {@link planBackfill} gave them. @returns the runs that were queued; a slot in the works is not queued twice. */
export async function backfill(
  parts: Parts,
  job: string,
  slots: Instant[],
  args: string[],
  asked: Person,
  now: Instant,
): Promise<Run[]> {
  const found = parts.catalog().get(job)?.job;
  const first = found?.concurrency ?? 1;
  const runs: Run[] = [];
  for (let at = 0; at < slots.length; at += together) {
    const some = slots.slice(at, at + together);
    const ids = await Promise.all(some.map((slot) => freeBackfillId(parts, job, slot)));
    for (const [number, slot] of some.entries()) {
      const id = ids[number];
      if (id !== undefined)
        runs.push(
          newRun(job, slot, 'backfill', now, { id, args: [...argsOf(found?.schedules ?? [], slot), ...args], asked }),
        );
    }
  }
  const [from, to] = [runs[0], runs.at(-1)];
  if (!from || !to) return [];
  // First what is meant to be done: nothing runs that the audit does not know.
  const details = { from: from.id, to: to.id, runs: runs.length };
  await parts.store.events.append({ job, at: now, kind: 'backfill', ...asked, details });
  const claimed = await claimAll(parts, runs, now);
  const last = claimed.at(-1);
  if (!last) return [];
  // As many messages as can start, and only once it is marked that more wait: each run that ends wakes the next.
  await parts.store.jobs.amend(job, (row) => waits(row, last));
  for (const run of claimed.slice(0, first)) {
    await parts.store.launches.put({ job, run: run.id, attempt: 1 }, run.slot, now);
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
