import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { Person } from '../run/run.ts';
import type { JobEvent } from '../store/events.ts';

/** Records what somebody did to a job. */
export async function note(
  { store }: Parts,
  job: string,
  kind: JobEvent['kind'],
  asked: Person,
  at: Instant,
  details: JobEvent['details'],
): Promise<void> {
  await store.events.append({ job, at, kind, ...asked, details });
}
