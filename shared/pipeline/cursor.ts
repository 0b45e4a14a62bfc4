import { createHash } from 'node:crypto';
import { day, type Instant, iso } from '../instant.ts';
import type { Catalog } from '../job/catalog.ts';
import { scheduleText } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import type { Progress } from '../store/service.ts';
import { inFuture } from './clock.ts';

const digests = new WeakMap<Catalog, string>();

/**
 * What a package expects, as a digest: its jobs and their schedules. Hosts with the same one share a cursor. Two packages
 * that tick side by side have one each, so that neither moves past a slot that only the other knows.
 */
export function digestOf(catalog: Catalog): string {
  const known = digests.get(catalog);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const name of [...catalog.keys()].sort()) {
    const job = catalog.get(name)?.job;
    hash.update(JSON.stringify([name, job?.status, job?.schedules.map(scheduleText)]));
  }
  const digest = hash.digest('hex').slice(0, 16);
  digests.set(catalog, digest);
  return digest;
}

/** Up to where the slots of this package's jobs are claimed; undefined: no host has ever ticked or registered. */
export function reached({ cursor }: Progress, digest: string): Instant | undefined {
  return cursor?.value.packages?.[digest] ?? cursor?.value.at;
}

/**
 * A package begins where the one that came least far is now: comes before its jobs are registered, so that no slot lies
 * between what is known of a job and where its ticks begin, even if this process dies in between.
 */
export async function enter({ store, person }: Parts, catalog: Catalog, now: Instant): Promise<void> {
  const { cursor } = await store.marks.progress();
  const digest = digestOf(catalog);
  const packages = cursor?.value.packages ?? {};
  if (packages[digest] !== undefined) return;
  const least = cursor ? Math.min(cursor.value.at, ...Object.values(packages)) : now;
  await store.marks.move(digest, least, person, cursor);
}

/**
 * A clock that is right has found the cursor in the future: a wrong one put it there, and no slot would be claimed until
 * then. Sets it back by a day; what is claimed since then collides with its rows.
 */
export async function repairCursor(parts: Parts, progress: Progress, now: Instant): Promise<Progress> {
  const { store, person, emit } = parts;
  const cursor = progress.cursor?.value.at;
  if (cursor === undefined || !inFuture(cursor, now)) return progress;
  const back = now - day;
  if (await store.marks.setBack('cursor', back, person, cursor)) {
    const text = `the cursor stood at ${iso(cursor)}, in the future: set back to ${iso(back)}, slots since then are looked at again`;
    emit({ type: 'trouble', doing: 'ticking', error: new Error(text) });
  }
  const { heartbeat } = progress;
  if (heartbeat !== undefined && heartbeat > now) await store.marks.setBack('heartbeat', now, person, heartbeat);
  return store.marks.progress();
}
