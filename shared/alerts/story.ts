import type { Instant } from '../instant.ts';
import { readZipped } from '../job/unzip.ts';
import type { Parts } from '../parts.ts';
import type { JobEvent } from '../run/job-event.ts';
import { readText } from '../run/log-text.ts';
import { currentAttempt, type Run } from '../run/run.ts';
import { UnreadableResult } from '../store/attempts.ts';
import type { Incident } from '../store/incidents.ts';
import { changes, type PackageChange } from './changes.ts';
import { spanText } from './clocks.ts';
import type { Story } from './compose.ts';
import { packageChanges } from './packages.ts';
import { recentRuns } from './see.ts';
import { usualOf } from './usual.ts';

/** Acts that may be why a job fails now. */
const reporting: readonly JobEvent['kind'][] = ['paused', 'resumed'];
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

/** More of a log is not read for a message. */
const tailBytes = 16 * 1024;

/** Last lines of the traceback, else of the log, as the shim redacted them. */
async function detailOf({ store }: Parts, run: Run): Promise<string> {
  const attempt = currentAttempt(run);
  if (!attempt) return '';
  const id = { job: run.job, run: run.id, attempt: attempt.number };
  const result = await store.attempts.result(id).catch((error) => {
    if (error instanceof UnreadableResult) return undefined;
    throw error;
  });
  const detail = result?.error?.detail || result?.suspect?.detail;
  if (detail) return detail;
  const text = result?.log.text;
  const short = typeof text === 'string' ? Buffer.from(text).subarray(-tailBytes) : undefined;
  const tail = short ?? (await store.attempts.logTail(id, tailBytes)) ?? Buffer.alloc(0);
  // A line that was cut at its beginning says nothing.
  const whole = tail.length < tailBytes ? tail : tail.subarray(tail.indexOf('\n') + 1);
  return readText(whole, true).text.toString();
}

/** What people did since, oldest first, and a change of tier by a deployment. */
async function actsSince({ store }: Parts, job: string, since: Instant): Promise<string[]> {
  const found: string[] = [];
  /** Of the deployments since, newest first, and of the one before them. */
  const tiers: string[] = [];
  let count = 0;
  for await (const { kind, at, by, why, details } of store.events.list(job)) {
    if (++count > mostEvents || (at < since && tiers.length === 0)) break;
    if (kind === 'deployed') tiers.push(tierIn(details.manifest));
    if (at < since) {
      if (kind === 'deployed') break;
      continue;
    }
    const after = `${spanText(at - since)} after it`;
    if (kind === 'schedule-changed')
      found.push(`schedule: ${details.from || 'none'} → ${details.to || 'none'}, ${after}`);
    else if (reporting.includes(kind)) found.push(`${kind} by ${by}${why && `: ${why}`}, ${after}`);
  }
  const [now = '', before = ''] = [tiers[0], tiers.length > 1 ? tiers.at(-1) : ''];
  if (now !== '' && before !== '' && now !== before) found.push(`tier: ${before} → ${now}`);
  return found.reverse();
}

/** The tier in the manifest of a deployment; empty: it was too long to be kept, or of an older version. */
function tierIn(manifest: unknown): string {
  try {
    const { tier } = JSON.parse(String(manifest)) as { tier?: unknown };
    return typeof tier === 'string' ? tier : '';
  } catch {
    return '';
  }
}
