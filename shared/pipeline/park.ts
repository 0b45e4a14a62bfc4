import { hour, type Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { Run } from '../run/run.ts';
import type { ActiveRun, WaitsFor } from '../store/active.ts';
import type { Versioned } from '../store/table.ts';
import { lateAt, nextDeadline } from './notice.ts';

/** Who frees what a run waits for wakes it: should even that be lost, the watch looks after this time. */
const seldom = hour;

/** Leaves a waiting run alone until it is woken, or one of its deadlines comes; its row says what it waits for. */
export async function park(
  { store }: Parts,
  entry: Versioned<ActiveRun>,
  found: Versioned<Run>,
  waits: WaitsFor,
  reason: string,
  now: Instant,
): Promise<void> {
  const run = found.value;
  // Losing this race is fine: then it waits no more.
  if (run.reason !== reason && !(await store.runs.replace({ ...run, reason }, found.etag))) return;
  const late = waits === 'place' && !run.notices.includes('late') ? lateAt(run) : undefined;
  const coming = [nextDeadline(run, now), late !== undefined && late > now ? late : undefined, now + seldom];
  await store.active.lookAgain(entry, Math.min(...coming.filter((at) => at !== undefined)), { waits });
}

export async function parkForPlace(parts: Parts, found: Versioned<Run>, now: Instant): Promise<void> {
  const { job, id } = found.value;
  const reason = placeReason(parts);
  parts.emit({ type: 'run-waiting', run: found.value, reason });
  const entry = await parts.store.active.get(job, id);
  if (entry) await park(parts, entry, found, 'place', reason, now);
}

export function placeReason({ limit }: Parts): string {
  return `waits for a place: as many attempts run as may (${limit})`;
}
