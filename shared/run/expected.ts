import type { Instant } from '../instant.ts';
import { type Job, type JobSchedule, readScheduleText, type ScheduleText, scheduleText } from '../job/job.ts';
import { type Due, dueSlots, type Stretch } from './due.ts';
import type { JobRow } from './job-row.ts';

/** What the service knows of when a job was expected. */
export type Known = Pick<JobRow, 'since' | 'schedules' | 'schedulesSince' | 'pastSchedules'>;

/** As the job's row has them. */
export function scheduleTexts({ schedules }: Pick<Job, 'schedules'>): ScheduleText[] {
  return schedules.map(scheduleText);
}

export function sameSchedules(a: readonly ScheduleText[], b: readonly ScheduleText[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * What was expected of a job in a stretch of time: by each schedule from when it was known until the next one was. The
 * row says so and not the package at hand, which may be the older of two.
 * @param due what the job's own schedules say of the stretch, where that is computed already
 * @param unreadable called with the error for schedules that this version cannot read: theirs are the only slots left out
 */
export function expected(
  known: Known,
  job: Job,
  { after, until }: Stretch,
  now: Instant,
  unreadable: (error: unknown) => void,
  due?: Due,
): Due {
  // A wrong clock may have written these; no slot is older than now by them.
  const since = Math.min(known.since, now);
  const changed = Math.min(known.schedulesSince, now);
  const ours = sameSchedules(known.schedules, scheduleTexts(job));
  if (due && ours && Math.max(since, changed) <= after) return due;

  const ages = [...known.pastSchedules, { since: changed, schedules: known.schedules }];
  const found: Due = { run: [], missed: [] };
  for (const [number, age] of ages.entries()) {
    const from = Math.max(after, since, number === 0 ? since : age.since);
    const to = Math.min(until, ages[number + 1]?.since ?? until);
    if (from >= to) continue;
    const schedules = ours && number === ages.length - 1 ? job.schedules : readable(age.schedules, unreadable);
    const { run, missed } = dueSlots({ schedules, closed: job.closed }, { after: from, until: to }, now);
    found.run.push(...run);
    found.missed.push(...missed);
  }
  return found;
}

function readable(texts: readonly ScheduleText[], unreadable: (error: unknown) => void): JobSchedule[] {
  return texts.flatMap((text) => {
    try {
      return [readScheduleText(text)];
    } catch (error) {
      unreadable(error);
      return [];
    }
  });
}
