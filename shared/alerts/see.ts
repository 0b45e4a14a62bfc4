import { type Instant, iso, minute } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { JobRow } from '../run/job-row.ts';
import { isReplay, type Run } from '../run/run.ts';
import type { Incident } from '../store/incidents.ts';
import type { Store } from '../store/store.ts';
import type { Versioned } from '../store/table.ts';
import { rings, serviceGroup, spanText } from './clocks.ts';
import { opened, resolved, type Sighting, seenAgain, superseded } from './incident.ts';
import { effectOn, endsWithRun, sightings } from './judge.ts';
import { durationOf, tooLongAfter, usualOf } from './usual.ts';

/** From what is seen of runs to the incidents that are kept of them. Each of these is safe to do again. */

/**
 * What the end of runs says.
 * @param runs final ones of one job, oldest slot first
 * @param row the job after it was let go; not given: what is open is read
 */
export async function seeEnds(parts: Parts, runs: readonly Run[], now: Instant, row?: JobRow): Promise<void> {
  const [first] = runs;
  if (!first) return;
  const job = parts.catalog().get(first.job)?.job;
  const seen = combined(runs.flatMap((run) => sightings(run, job, now)));
  // An incident that is opened from now on is opened in view of these ends.
  if (seen.length === 0 && row?.alarmed === null) return;
  const open: Versioned<Incident>[] = [];
  for await (const one of parts.store.incidents.openOf(first.job)) open.push(one);

  for (const sighting of seen) await record(parts.store, sighting, now);
  let stays = seen.length > 0;
  for (const { value } of open) {
    if (value.state === 'resolved' || seen.some((one) => isAbout(value, one))) continue;
    let over = false;
    for (const run of runs) over = (await affect(parts.store, value, run, now))?.state === 'resolved' || over;
    stays ||= !over && endsWithRun(value.cause);
  }
  if (!stays && row) await calm(parts.store, row, now);
}

/** An incident is there by this time after its job was marked. */
const alarmedFor = 10 * minute;

/** Nothing is open that an end could end: the next ends need not look. */
async function calm({ jobs }: Store, { name, alarmed }: JobRow, now: Instant): Promise<void> {
  if (alarmed === null || now - alarmed < alarmedFor) return;
  await jobs.amend(name, (row) => (row.alarmed === alarmed ? { ...row, alarmed: null } : undefined));
}

/**
 * Marks the job before an incident of it is opened: ends look for incidents from then on.
 * @returns the job as it is then; undefined: it has no row, or no end can end this
 */
async function alarm({ jobs }: Store, { job, cause }: Sighting, now: Instant): Promise<JobRow | undefined> {
  if (job === null || !endsWithRun(cause)) return undefined;
  const fresh = ({ alarmed }: JobRow) => alarmed !== null && now - alarmed < alarmedFor / 2;
  return (await jobs.amend(job, (row) => (fresh(row) ? undefined : { ...row, alarmed: now })))?.row;
}

/**
 * What a run under way says: late, past its end, far too long. Mostly nothing, and then nothing is read. An incident that
 * cannot be kept now stops no one: the next look sees it again.
 * @param begun when its shim began; null: it has not
 */
export async function seeUnderWay(parts: Parts, run: Run, begun: Instant | null, now: Instant): Promise<void> {
  await seeRings(parts, run, begun, now).catch((error) => {
    parts.emit({ type: 'trouble', doing: `judging the clocks of ${run.job}.${run.id}`, error });
  });
}

async function seeRings(parts: Parts, run: Run, begun: Instant | null, now: Instant): Promise<void> {
  const job = parts.catalog().get(run.job)?.job;
  if (job?.status !== 'production' || isReplay(run)) return;
  const startedAt = run.startedAt ?? begun;
  const tooLongMs = startedAt === null ? null : await tooLong(parts.store, run.job, now - startedAt, now);
  for (const ring of rings(run, job, { begun, tooLongMs }, now)) {
    const about = { job: run.job, cause: ring.cause, subject: '' };
    const found = await parts.store.incidents.get(about);
    // Its growing text is not worth a write each time.
    if (found && found.value.state !== 'resolved' && found.value.run === run.id) continue;
    await record(parts.store, { ...about, ...ring, tier: job.tier, run: run.id, slot: run.slot }, now);
  }
}

/** Shorter gaps between ticks are normal: a deployment, a restart. */
const downAfter = 3 * minute;

/**
 * The scheduler did not work for a while, and slots were lost or late by that: one incident for all of it, which is over
 * as it is opened. Those of the jobs that missed slots are of its group.
 */
export async function seeOutage(
  { store }: Parts,
  { behindMs, sinceLastMs, affected }: Outage,
  now: Instant,
): Promise<void> {
  if (behindMs < downAfter || affected.length === 0) return;
  const slots = (one: Outage['affected'][number]) =>
    [one.missed > 0 ? `${one.missed} missed` : '', one.late > 0 ? `${one.late} late` : ''].filter(Boolean).join(', ');
  const named = affected.slice(0, 20).map((one) => `${one.job} (${slots(one)})`);
  const more = affected.length > 20 ? `, and ${affected.length - 20} more jobs` : '';
  const text = `no tick for ${spanText(sinceLastMs)} until ${iso(now)}; slots: ${named.join(', ')}${more}`;
  const about = { job: null, cause: 'scheduler', subject: '' } as const;
  await record(
    store,
    { ...about, tier: 'standard', text, group: serviceGroup, run: iso(now), since: now - sinceLastMs },
    now,
  );
  await amend(store, about, (incident) => resolved(incident, now));
}

/** What a tick found when it came. */
export interface Outage {
  behindMs: number;
  sinceLastMs: number;
  affected: { job: string; missed: number; late: number }[];
}

/** Opens an incident, or counts in the one that is open. */
export async function record(store: Store, seen: Sighting, now: Instant): Promise<void> {
  const { incidents } = store;
  const about = { job: seen.job, cause: seen.cause, subject: seen.subject ?? '' };
  for (;;) {
    const found = await incidents.get(about);
    const next = found && seenAgain(found.value, seen, now);
    if (found && !next) return;
    const opens = !found || found.value.state === 'resolved';
    const began = performance.now();
    const row = opens ? await alarm(store, seen, now) : undefined;
    // What it did while it was under way was judged by its end.
    if (seen.at === undefined && seen.run && row?.last?.id === seen.run) return;
    const written = next
      ? await incidents.replace(next, found.etag)
      : await incidents.insert(overAlready(opened(seen, now), seen, row, now));
    if (!written) continue;
    // Long after the mark, which an end may have removed since.
    if (opens && performance.now() - began > alarmedFor / 4) await alarm(store, seen, now + alarmedFor);
    return;
  }
}

/** A later success was followed up before this failure was: it is over already, and that is reported in one. */
function overAlready(fresh: Incident, seen: Sighting, row: JobRow | undefined, now: Instant): Incident {
  const last = row?.last;
  if (last?.state !== 'succeeded' || seen.at === undefined || last.endedAt <= seen.at) return fresh;
  return resolved(fresh, now, last.endedAt) ?? fresh;
}

/** Changes an incident until no other writer is in between. `change` returns undefined to leave it alone. */
export async function amend(
  { incidents }: Store,
  about: Pick<Incident, 'job' | 'cause' | 'subject'>,
  change: (incident: Incident) => Incident | undefined,
): Promise<Incident | undefined> {
  for (;;) {
    const found = await incidents.get(about);
    const next = found && change(found.value);
    if (!found || !next) return undefined;
    const written = await incidents.replace(next, found.etag);
    if (written) return written.value;
  }
}

/** @returns the incident as it is now; undefined: it is as it was */
async function affect(store: Store, { job, cause, subject }: Incident, run: Run, now: Instant) {
  return amend(store, { job, cause, subject }, (incident) => {
    const effect = effectOn(incident, run);
    if (effect === 'supersedes') return superseded(incident, now);
    return effect === 'resolves' ? resolved(incident, now, run.endedAt ?? now) : undefined;
  });
}

function isAbout(incident: Incident, { cause, subject = '' }: Sighting): boolean {
  return incident.cause === cause && incident.subject === subject;
}

/** One sighting of each cause and subject: an outage of a week is one, of many slots. */
function combined(seen: readonly Sighting[]): Sighting[] {
  const found = new Map<string, Sighting>();
  for (const one of seen) {
    const key = `${one.cause}|${one.subject ?? ''}`;
    const before = found.get(key);
    found.set(key, before ? { ...one, times: (before.times ?? 1) + (one.times ?? 1) } : one);
  }
  return [...found.values()];
}

/** Usual times are read anew this often, and only of jobs whose run is beyond twice the time of their last. */
const usualFor = 10 * minute;
const known = new WeakMap<Store, Map<string, { until: Instant; tooLongMs: number | null }>>();

async function tooLong(store: Store, job: string, tookMs: number, now: Instant): Promise<number | null> {
  if (tookMs < 2 * minute) return null;
  const kept = known.get(store) ?? new Map<string, { until: Instant; tooLongMs: number | null }>();
  known.set(store, kept);
  const found = kept.get(job);
  if (found && now < found.until) return found.tooLongMs;
  const last = (await store.jobs.get(job))?.value.last?.durationMs ?? null;
  if (last === null || tookMs <= 2 * last) return null;
  const tooLongMs = tooLongAfter(usualOf(await recentRuns(store, job)));
  if (kept.size > 1_000) kept.clear();
  kept.set(job, { until: now + usualFor, tooLongMs });
  return tooLongMs;
}

/** Newest first, as many as what is usual is made of, and some that failed. */
export async function recentRuns({ runs }: Store, job: string): Promise<Run[]> {
  const found: Run[] = [];
  let good = 0;
  for await (const { value } of runs.list(job, { page: 50 })) {
    found.push(value);
    if (value.state === 'succeeded' && durationOf(value) !== null) good += 1;
    if (good === 30 || found.length === 100) break;
  }
  return found;
}
