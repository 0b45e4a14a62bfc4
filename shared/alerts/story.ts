import type { Instant } from '../instant.ts';
import { readZipped } from '../job/unzip.ts';
import type { Parts } from '../parts.ts';
import type { JobEvent } from '../run/job-event.ts';
import { currentAttempt, type Run } from '../run/run.ts';
import type { Incident } from '../store/incidents.ts';
import { changes, type PackageChange } from './changes.ts';
import { spanText } from './clocks.ts';
import type { Story } from './compose.ts';
import { packageChanges } from './packages.ts';
import { recentRuns } from './see.ts';
import { usualOf } from './usual.ts';

/** Acts that may be why a job fails now. */
const telling: readonly JobEvent['kind'][] = ['schedule-changed', 'paused', 'resumed'];
/** Events are looked through no further back than this many. */
const mostEvents = 100;

/** The short form, of an incident that is only listed. */
export function briefStory(parts: Parts, incident: Incident): Story {
  const job = incident.job === null ? undefined : parts.catalog().get(incident.job)?.job;
  return { incident, job, run: undefined, usual: undefined, changes: undefined, detail: '' };
}

/** All that a message says of an incident. What cannot be read is left out: an alert does not wait for it. */
export async function storyOf(parts: Parts, incident: Incident): Promise<Story> {
  const story = briefStory(parts, incident);
  try {
    return await whole(parts, story);
  } catch (error) {
    parts.emit({ type: 'trouble', doing: `reading what led to ${incident.id}`, error });
    return story;
  }
}

async function whole(parts: Parts, story: Story): Promise<Story> {
  const { store } = parts;
  const { job, run: id } = story.incident;
  if (job === null || id === null) return story;
  const run = (await store.runs.get(job, id))?.value;
  if (!run) return story;
  const recent = await recentRuns(store, job);
  // An older slot cannot be compared with what came after it.
  const before = recent.filter((one) => one.id !== run.id && one.slot <= run.slot);
  const good = before.find(({ state }) => state === 'succeeded') ?? null;
  const packages = await packagesBetween(parts, good, run);
  const acts = good ? await actsSince(parts, job, good.endedAt ?? good.slot) : [];
  return {
    ...story,
    run,
    usual: usualOf(before),
    // A run that never began has nothing to be compared.
    changes: run.versions ? changes(good, run, { acts, ...(packages && { packages }) }) : acts,
    detail: await detailOf(parts, run),
  };
}

/** Packages that differ, when the lock files do; undefined: they do not, or one of the bundles is gone. */
async function packagesBetween({ store }: Parts, good: Run | null, run: Run): Promise<PackageChange[] | undefined> {
  const [a, b] = [good?.versions, run.versions];
  if (!a || !b || a.lock === b.lock || a.lock === null || b.lock === null) return undefined;
  const zips = await Promise.all([store.bundles.get(a.bundle), store.bundles.get(b.bundle)]);
  const [before, after] = zips.map((zip) => zip && readZipped(zip, 'uv.lock')?.toString());
  return before === undefined || after === undefined ? undefined : packageChanges(before, after);
}

/** Last lines of the traceback, as the shim redacted them. */
async function detailOf({ store }: Parts, run: Run): Promise<string> {
  const attempt = currentAttempt(run);
  if (!attempt) return '';
  const result = await store.attempts.result({ job: run.job, run: run.id, attempt: attempt.number });
  return result?.error?.detail ?? result?.suspect?.detail ?? '';
}

async function actsSince({ store }: Parts, job: string, since: Instant): Promise<string[]> {
  const found: string[] = [];
  let count = 0;
  for await (const { kind, at, by, why } of store.events.list(job)) {
    if (at < since || ++count > mostEvents) break;
    if (telling.includes(kind)) found.push(`${kind} by ${by}${why && `: ${why}`}, ${spanText(at - since)} after it`);
  }
  return found.reverse();
}
