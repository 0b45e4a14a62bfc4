import type { Catalog, Deployed } from './catalog.ts';
import type { Instant } from './instant.ts';
import type { Job } from './job.ts';
import type { Parts } from './parts.ts';
import type { JobRow, ScheduleText } from './store/jobs.ts';

/**
 * Makes the service know its jobs: stores new code, notes since when a job or a schedule is known, and records each
 * deployment. Slots before a job or schedule was known are never run.
 */
export async function register(parts: Parts, catalog: Catalog, now: Instant): Promise<void> {
  const known = new Map<string, JobRow>();
  for await (const { value } of parts.store.jobs.all()) known.set(value.name, value);
  for (const deployed of catalog.values()) await registerJob(parts, deployed, known.get(deployed.job.name), now);
}

/** @returns the row as it is now. */
export async function registerJob(
  { store, person }: Parts,
  deployed: Deployed,
  known: JobRow | undefined,
  now: Instant,
): Promise<JobRow> {
  const { name } = deployed.job;
  const schedules = scheduleTexts(deployed.job);
  if (known?.bundle === deployed.bundle && same(known.schedules, schedules)) return known;

  await store.bundles.put(deployed.bundle, await deployed.zip());
  const fresh: JobRow = {
    name,
    since: now,
    bundle: deployed.bundle,
    schedules,
    schedulesSince: now,
    previousSchedules: [],
    paused: null,
    running: [],
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

function reschedule(row: JobRow, schedules: ScheduleText[], now: Instant): Partial<JobRow> {
  if (same(row.schedules, schedules)) return {};
  return { schedules, schedulesSince: now, previousSchedules: row.schedules };
}

function scheduleTexts(job: Job): ScheduleText[] {
  return job.schedules.map(({ schedule, ...policy }) => ({
    cron: schedule.cron,
    timeZone: schedule.timeZone,
    catchUp: policy.catchUp,
    catchUpLimit: policy.catchUpLimit,
    mustStartWithinMs: policy.mustStartWithinMs,
    mustFinishBy: policy.mustFinishBy,
  }));
}

function same(a: ScheduleText[], b: ScheduleText[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function text({ cron, timeZone }: ScheduleText): string {
  return `${cron} (${timeZone})`;
}
