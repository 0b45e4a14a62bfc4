import { createHash } from 'node:crypto';
import type { Instant } from '../instant.ts';
import type { Catalog, Deployed } from '../job/catalog.ts';
import { type ScheduleText, scheduleText } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import { dueSlots } from '../run/due.ts';
import type { JobRow } from '../store/jobs.ts';
import { claimSlots } from './claim.ts';

/**
 * Makes the service know its jobs: stores new code, notes since when a job or a schedule is known, and records each
 * deployment. Slots before a job or schedule was known are never run.
 */
export async function register(parts: Parts, catalog: Catalog, now: Instant): Promise<void> {
  const known = new Map<string, JobRow>();
  for await (const { value } of parts.store.jobs.all()) known.set(value.name, value);
  for (const deployed of catalog.values()) {
    try {
      await registerJob(parts, deployed, known.get(deployed.job.name), now);
    } catch (error) {
      if (!(error instanceof ChangedMeanwhile)) throw error;
      parts.emit({ type: 'trouble', doing: `registering ${deployed.job.name}`, error });
    }
  }
}

/** @returns the row as it is now. */
export async function registerJob(
  parts: Parts,
  deployed: Deployed,
  known: JobRow | undefined,
  now: Instant,
): Promise<JobRow> {
  const { store, person } = parts;
  const { name } = deployed.job;
  const schedules = deployed.job.schedules.map(scheduleText);
  if (known?.bundle === deployed.bundle && same(known.schedules, schedules)) return known;

  await store.bundles.put(deployed.bundle, await zipOf(deployed));
  if (!known || !same(known.schedules, schedules)) await claimAhead(parts, deployed, now);
  const fresh: JobRow = {
    name,
    since: now,
    bundle: deployed.bundle,
    schedules,
    schedulesSince: now,
    previousSchedules: [],
    paused: null,
    running: [],
    waiting: null,
    waitingBackfill: null,
    last: null,
    streak: 0,
  };
  const inserted = known ? undefined : await store.jobs.insert(fresh);
  const changed =
    inserted === undefined
      ? await store.jobs.amend(name, (row) => ({ ...row, bundle: deployed.bundle, ...reschedule(row, schedules, now) }))
      : undefined;
  const details = { bundle: deployed.bundle, commit: deployed.commit ?? '', previous: known?.bundle ?? '' };
  if (known?.bundle !== deployed.bundle) {
    await store.events.append({ job: name, at: now, kind: 'deployed', by: person, why: '', details });
  }
  if (known && !same(known.schedules, schedules)) {
    const change = { from: known.schedules.map(text).join(', '), to: schedules.map(text).join(', ') };
    await store.events.append({ job: name, at: now, kind: 'schedule-changed', by: person, why: '', details: change });
  }
  return inserted?.value ?? changed?.row ?? fresh;
}

/** The job's folder is not what it was when it was read; whoever reads it again will register that. */
class ChangedMeanwhile extends Error {}

/** A bundle is stored once and for good under its digest: it must be what it says. */
async function zipOf({ job, bundle, zip }: Deployed): Promise<Buffer> {
  const bytes = await zip();
  if (createHash('sha256').update(bytes).digest('hex') === bundle) return bytes;
  throw new ChangedMeanwhile(`the files of ${job.name} changed while they were read`);
}

/**
 * Ticks have claimed slots up to the cursor, a minute from now, without knowing this schedule. Comes before the job's
 * row: should we die in between, registering is done again.
 */
async function claimAhead(parts: Parts, { job }: Deployed, now: Instant): Promise<void> {
  const cursor = await parts.store.marks.get('cursor');
  if (cursor === undefined || cursor <= now || job.status === 'decommissioned') return;
  await claimSlots(parts, job.name, dueSlots(job, { after: now, until: cursor }, now).run, now);
}

function reschedule(row: JobRow, schedules: ScheduleText[], now: Instant): Partial<JobRow> {
  if (same(row.schedules, schedules)) return {};
  return { schedules, schedulesSince: now, previousSchedules: row.schedules };
}

function same(a: ScheduleText[], b: ScheduleText[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function text({ cron, timeZone }: ScheduleText): string {
  return `${cron} (${timeZone})`;
}
