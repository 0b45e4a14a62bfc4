import { record } from '../alerts/see.ts';
import type { Instant } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import type { Person } from '../run/run.ts';

/** What the departure of a person leaves open. */
export interface Orphaned {
  /** Jobs for which an incident was opened. */
  opened: string[];
  /** Jobs whose incident was open already. */
  already: string[];
}

/**
 * A person has left: each production job that names them as owner gets an incident until its manifest names another.
 * @param email compared without regard to case. @param concerns which jobs the caller may know of
 */
export async function ownerLeft(
  parts: Parts,
  email: string,
  concerns: (job: Job) => boolean,
  asked: Person,
  now: Instant,
): Promise<Orphaned> {
  const subject = email.toLowerCase();
  const found: Orphaned = { opened: [], already: [] };
  for (const { job } of parts.catalog().values()) {
    if (job.status !== 'production' || job.owner.email.toLowerCase() !== subject || !concerns(job)) continue;
    const about = { job: job.name, cause: 'owner', subject } as const;
    const open = await parts.store.incidents.get(about);
    if (open && open.value.state !== 'resolved') {
      found.already.push(job.name);
      continue;
    }
    const { successor } = job.owner;
    // First the audit: no incident is opened by a person that it does not know.
    const details = { owner: subject, successor: successor ?? '' };
    await parts.store.events.append({ job: job.name, at: now, kind: 'owner-left', ...asked, details });
    const text = `${subject} has left; ${successor ? `the successor is ${successor}` : 'job.yaml names no successor'}`;
    await record(parts.store, { ...about, tier: job.tier, text }, now);
    found.opened.push(job.name);
  }
  return found;
}
