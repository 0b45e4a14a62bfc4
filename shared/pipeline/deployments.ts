import { createHash } from 'node:crypto';
import type { Instant } from '../instant.ts';
import type { Catalog, Deployed, Package } from '../job/catalog.ts';
import { type ScheduleText, scheduleText } from '../job/job.ts';
import { once } from '../once.ts';
import type { Parts } from '../parts.ts';
import { dueSlots } from '../run/due.ts';
import { sameSchedules, scheduleTexts } from '../run/expected.ts';
import type { JobEvent } from '../run/job-event.ts';
import { type JobRow, newJobRow, type PastSchedules } from '../run/job-row.ts';
import type { Store } from '../store/store.ts';
import { claimEach, runsOf } from './claim.ts';
import { sharedTime } from './clock.ts';
import { enter } from './cursor.ts';
import { eachJob } from './each-job.ts';
import { lookAhead } from './look-ahead.ts';
import { supersedes } from './removed.ts';
import { seeDeployed } from './replay/soon.ts';
import { wake } from './waiting.ts';

/** Each holds the zip of a job. */
const together = 4;
/** Past schedules that a job's row keeps, and the room that they may take, characters. */
const mostPast = 20;
const pastRoom = 30_000;
/** A longer manifest is left out of its event; the bundle has it in any case. */
const snapshotLimit = 12_000;

/** Jobs of a catalog that are not registered: `failed`, or `older` than what is registered, maybe rolled back to. */
const outstanding = new WeakMap<Catalog, Map<string, 'failed' | 'older'>>();

/** Jobs whose code this process could not store yet, whichever reading of their folders it was. */
const unstored = new WeakMap<Store, Set<string>>();

function unstoredIn(store: Store): Set<string> {
  const known = unstored.get(store) ?? new Set();
  unstored.set(store, known);
  return known;
}

/**
 * Makes the service know its jobs: stores new code, notes since when a job or a schedule is known, and records each
 * deployment. Slots before a job or schedule was known are never run. A job that cannot be registered is reported, and
 * tried again with each tick.
 * @param reads what this host's clock reads
 * @throws when none can: an outage
 */
export async function register(parts: Parts, catalog: Catalog, reads: Instant): Promise<void> {
  const now = await sharedTime(parts, reads);
  await enter(parts, catalog, now);
  const known = new Map<string, JobRow>();
  for await (const { value } of parts.store.jobs.all(() => {})) known.set(value.name, value);
  await registerThese(parts, catalog, [...catalog.values()], (name) => known.get(name), now);
}

/** The jobs whose registration has failed, or had to wait. Costs nothing when there is none. */
export async function registerAgain(parts: Parts, catalog: Catalog, now: Instant): Promise<void> {
  const names = [...(outstanding.get(catalog)?.keys() ?? [])];
  if (names.length === 0) return;
  const known = new Map<string, JobRow>();
  for (const name of names) {
    const row = await parts.store.jobs.get(name).catch(() => undefined);
    if (row) known.set(name, row.value);
  }
  const jobs = names.flatMap((name) => catalog.get(name) ?? []);
  await registerThese(parts, catalog, jobs, (name) => known.get(name), now);
}

/** Whether the code of a job is in the store, as far as this process knows. */
export function isRegistered(catalog: Catalog, job: string): boolean {
  return outstanding.get(catalog)?.get(job) !== 'failed';
}

async function registerThese(
  parts: Parts,
  catalog: Catalog,
  jobs: readonly Deployed[],
  known: (name: string) => JobRow | undefined,
  now: Instant,
): Promise<void> {
  const left = new Map<string, 'failed' | 'older'>();
  outstanding.set(catalog, left);
  const waiting = unstoredIn(parts.store);
  for (const deployed of jobs) {
    const { name } = deployed.job;
    const row = known(name);
    if (row && isSame(row, deployed)) continue;
    left.set(name, 'failed');
    waiting.add(name);
  }
  // Once for all of them: what it passes meanwhile, the ticks of this package look at, which begin no later than here.
  const cursor = once(() => parts.store.marks.get('cursor'));
  await eachJob(
    parts,
    'registering',
    jobs,
    together,
    ({ job }) => job.name,
    async (deployed) => {
      const { name } = deployed.job;
      const old = known(name);
      const row = await registerJob(parts, deployed, old, now, catalog.package, cursor);
      // Only a process that began after the newer one was registered may be what was rolled back to.
      if (isSame(row, deployed) || (catalog.package?.read ?? 0) <= row.deployedAt) left.delete(name);
      else left.set(name, 'older');
      if (!isSame(row, deployed)) return;
      await seeDeployed(parts, deployed, now);
      // Runs may have waited for its code: no host had been able to store it.
      if (waiting.delete(name) && old) await wakeWaiting(parts, row, now);
    },
  );
}

async function wakeWaiting(parts: Parts, row: JobRow, now: Instant): Promise<void> {
  const report = (error: unknown) => parts.emit({ type: 'trouble', doing: `waking runs of ${row.name}`, error });
  await wake(parts, row, now, { all: true }).catch(report);
}

type ReadCursor = () => Promise<Instant | undefined>;

/**
 * Registers one job.
 * @param known its row, where it has one
 * @param from left out: newer than all that is known
 * @param cursor reads up to where slots are claimed
 * @returns the row as it is now; of another bundle when a newer package has registered that
 */
export async function registerJob(
  parts: Parts,
  deployed: Deployed,
  known: JobRow | undefined,
  now: Instant,
  from?: Package,
  cursor: ReadCursor = () => parts.store.marks.get('cursor'),
): Promise<JobRow> {
  const { jobs } = parts.store;
  if (known && isSame(known, deployed)) return writeEvents(parts, known);
  await parts.store.bundles.put(deployed.bundle, await zipOf(deployed));
  if (known && !supersedes(from, known, now)) return known;

  if (!known || !sameSchedules(known.schedules, scheduleTexts(deployed.job)))
    await claimAhead(parts, deployed, now, cursor);
  const change = { made: from?.made ?? now, deployedAt: now };
  const fresh = withEvents(parts, newJobRow(deployed.job.name, now), deployed, change, now);
  const inserted = known ? undefined : await jobs.insert(fresh);
  if (inserted) return writeEvents(parts, inserted.value);
  const changed = await jobs.amend(deployed.job.name, (row) =>
    isSame(row, deployed) || !supersedes(from, row, now) ? undefined : withEvents(parts, row, deployed, change, now),
  );
  return writeEvents(parts, changed?.row ?? fresh);
}

function isSame(row: JobRow, { job, bundle }: Deployed): boolean {
  return row.bundle === bundle && sameSchedules(row.schedules, scheduleTexts(job));
}

/** The row as this deployment leaves it, with the events of it: what must be recorded is written with what is recorded. */
function withEvents(
  { person: by }: Parts,
  row: JobRow,
  { job, bundle, commit }: Deployed,
  change: Pick<JobRow, 'made' | 'deployedAt'>,
  at: Instant,
): JobRow {
  const schedules = scheduleTexts(job);
  const unwritten: JobEvent[] = [];
  const event = { job: row.name, at, by, why: '' };
  if (row.bundle !== bundle) {
    const details = { bundle, commit: commit ?? '', previous: row.bundle, manifest: snapshot(job) };
    unwritten.push({ ...event, id: `deployed-${bundle.slice(0, 16)}`, kind: 'deployed', details });
  }
  const isNew = row.bundle === '';
  const rescheduled = !isNew && !sameSchedules(row.schedules, schedules);
  if (rescheduled) {
    const details = { from: row.schedules.map(text).join(', '), to: schedules.map(text).join(', ') };
    unwritten.push({ ...event, id: `schedule-${bundle.slice(0, 16)}`, kind: 'schedule-changed', details });
  }
  return {
    ...row,
    ...change,
    bundle,
    schedules,
    ...(rescheduled && { schedulesSince: at, pastSchedules: pastOf(row) }),
    unwritten: [...row.unwritten.slice(-2), ...unwritten],
  };
}

/** The newest that have room. A schedule that was in force for no time says nothing. */
function pastOf({ pastSchedules, schedules, schedulesSince }: JobRow): PastSchedules[] {
  const all = [...pastSchedules, { since: schedulesSince, schedules }].slice(-mostPast);
  while (all.length > 1 && JSON.stringify(all).length > pastRoom) all.shift();
  return all;
}

/** Each has a key of its own that any process would give it: written twice, it is there once. */
async function writeEvents({ store }: Parts, row: JobRow): Promise<JobRow> {
  if (row.unwritten.length === 0) return row;
  for (const event of row.unwritten) await store.events.append(event);
  const written = new Set(row.unwritten.map(({ id }) => id));
  const change = await store.jobs.amend(row.name, (current) => {
    const left = current.unwritten.filter(({ id }) => !written.has(id));
    return left.length < current.unwritten.length ? { ...current, unwritten: left } : undefined;
  });
  return change?.row ?? row;
}

/** The job as its manifest made it, in the event of its deployment: what it was then is known for good. */
function snapshot({ folder: _folder, schedules, ...job }: Deployed['job']): string {
  const json = JSON.stringify({ ...job, schedules: schedules.map(scheduleText) });
  return json.length <= snapshotLimit ? json : 'too long for an event: read job.yaml in the bundle';
}

/** The job's folder is not what it was when it was read; the next reading of it is registered. */
class ChangedMeanwhile extends Error {}

/** A bundle is stored once and for good under its digest: it must be what it says. */
async function zipOf({ job, bundle, zip }: Deployed): Promise<Buffer> {
  const bytes = await zip();
  if (createHash('sha256').update(bytes).digest('hex') === bundle) return bytes;
  throw new ChangedMeanwhile(`the files of ${job.name} changed while they were read`);
}

/**
 * Ticks have claimed slots up to the cursor, ahead of now, without knowing this schedule. Comes before the job's row:
 * should we die in between, registering is done again.
 */
async function claimAhead(parts: Parts, { job }: Deployed, now: Instant, readCursor: ReadCursor): Promise<void> {
  const cursor = await readCursor();
  if (cursor === undefined || cursor <= now || job.status === 'decommissioned') return;
  // By a clock that is behind, all since its time would look due: ticks claim only so far ahead of what is.
  const after = Math.max(now, cursor - lookAhead);
  const runs = runsOf(job.name, dueSlots(job, { after, until: cursor }, now).run, now);
  if (runs.length === 0) return;
  const failed = await claimEach(parts, [{ job: job.name, missed: [], runs }], now);
  if (failed.size > 0) throw new Error(`its slots until ${new Date(cursor).toISOString()} could not be claimed`);
}

function text({ cron, timeZone }: ScheduleText): string {
  return `${cron} (${timeZone})`;
}
