import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { Incident } from '../store/incidents.ts';
import type { Versioned } from '../store/table.ts';
import { resolved } from './incident.ts';

/** Ends incidents of owners who have left, of jobs that have another owner by now. @returns all of them, as they are now */
export async function closeOwned(
  { store, catalog }: Parts,
  all: readonly Versioned<Incident>[],
  now: Instant,
): Promise<Versioned<Incident>[]> {
  const after: Versioned<Incident>[] = [];
  for (const one of all) {
    const { cause, subject, job: name } = one.value;
    const job = cause === 'owner' && name !== null ? catalog().get(name)?.job : undefined;
    const over = job && (job.owner.email.toLowerCase() !== subject || job.status === 'decommissioned');
    const next = over ? resolved(one.value, now) : undefined;
    // Another host has changed it: the next tick looks again.
    after.push((next && (await store.incidents.replace(next, one.etag))) || one);
  }
  return after;
}
