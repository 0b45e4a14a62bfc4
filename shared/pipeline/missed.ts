import { type Instant, minute } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { Run } from '../run/run.ts';
import { followUpAll } from './follow-up.ts';

/** What follows from missed slots is done at once; should this host die, the watch does it after this time. */
const followUpGrace = 2 * minute;

/**
 * Records slots of one job that no run will start for. Entries for the watch come first, then the rows, then what
 * follows from them.
 * @param runs final ones, oldest slot first
 */
export async function recordMissed(parts: Parts, runs: Run[], now: Instant): Promise<void> {
  if (runs.length === 0) return;
  const checkAfter = now + followUpGrace;
  const { store } = parts;
  const entries = runs.map(({ job, id }) => ({ job, run: id, checkAfter, since: now }));
  const entered = await store.active.insertAll(entries);
  const recorded = await store.runs.insertAll(runs);
  await followUpAll(parts, recorded, now);
  // A row that was there and had no entry is followed up: another tick has recorded it.
  const fresh = new Set(recorded.map(({ id }) => id));
  const done = entered.map(({ run }) => run).filter((run) => !fresh.has(run));
  if (done.length > 0) await store.active.removeAll(runs[0]?.job ?? '', done);
}
