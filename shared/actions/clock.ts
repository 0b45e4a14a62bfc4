import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { Person } from '../run/run.ts';

/** Where the audit of the service itself is kept: no job is called that. */
export const serviceAudit = '(service)';

/**
 * A person says that this is the right time, whatever the store's clock reads: for an hour ticks go by it, and a cursor
 * that stands in the future is set back by the next one.
 */
export async function confirmClock({ store }: Parts, asked: Person, now: Instant): Promise<void> {
  await store.events.append({ job: serviceAudit, at: now, kind: 'clock-confirmed', ...asked, details: {} });
  await store.marks.set('confirmed', now, asked.by);
}
