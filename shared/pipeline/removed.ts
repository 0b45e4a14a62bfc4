import { type Instant, minute } from '../instant.ts';
import type { Catalog, Package } from '../job/catalog.ts';
import type { JobRow } from '../run/job-row.ts';

/** For this long after a deployment hosts of two packages may work side by side. */
export const deployingMs = 10 * minute;

/**
 * Whether a package may replace what is registered of a job. One that was made later may. One that was made earlier may
 * when it was read after the newer had been registered, and some time has passed: a roll-back, and no late process of
 * before.
 */
export function supersedes(from: Package | undefined, row: Pick<JobRow, 'made' | 'deployedAt'>, now: Instant): boolean {
  // Made in the future: by a wrong clock.
  if (!from || from.made > row.made || row.made > now + deployingMs) return true;
  return from.read > row.deployedAt && now > row.deployedAt + deployingMs;
}

/** Whether a job that is not in this catalog is gone, and not one that only a newer package knows. */
export function isRemoved(catalog: Catalog, row: JobRow, now: Instant): boolean {
  if (catalog.has(row.name) || catalog.package?.broken?.has(row.name)) return false;
  if (catalog.package) return supersedes(catalog.package, row, now);
  return now >= Math.max(row.since, row.deployedAt) + deployingMs;
}

/** What becomes of its runs that have not begun. */
export function removedChange(job: string) {
  return { state: 'cancelled', reason: `the job ${job} is not here any more`, nextAttemptAt: null } as const;
}
