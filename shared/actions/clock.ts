import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { Person } from '../run/run.ts';

/** Where the audit of the service itself is kept: no job is called that. */
export const serviceAudit = '(service)';

/**
 * A person says that this is the right time, whatever the store's clock reads: for an hour ticks go by it, and a cursor
 * that stands in the future is set back by the next one.
 * @param id of the entry in the audit: the same request again is the same entry
 */
export async function confirmClock({ store }: Parts, asked: Person, now: Instant, id?: string): Promise<void> {
  const kind = 'clock-confirmed' as const;
  await store.events.append({
    job: serviceAudit,
    at: now,
    kind,
    ...asked,
    details: {},
    ...(id !== undefined && { id }),
  });
  await store.marks.set('confirmed', now, asked.by);
}
