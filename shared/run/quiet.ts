import { hour, type Instant, minute } from '../instant.ts';
import type { JobSchedule } from '../job/job.ts';
import { slotsBetween } from '../schedule/schedule.ts';

/** Schedule lists that have no slot after `from` and before `next`; `slot`: there is one at `next`. */
const known = new WeakMap<readonly JobSchedule[], { from: Instant; next: Instant; slot: boolean }>();

/** So far is looked; a part that differs from job to job, so that not all of 100,000 jobs are looked at in one tick. */
const horizon = (number: number) => hour + (number % 60) * minute;
let looked = 0;

/**
 * Whether these schedules surely have no slot in (after, until]: of many jobs few are due, and the others cost a
 * comparison. Remembered as long as the list of schedules lives.
 */
export function isQuiet(schedules: readonly JobSchedule[], after: Instant, until: Instant): boolean {
  const before = known.get(schedules);
  if (before && after >= before.from && after < before.next) {
    if (until < before.next) return true;
    if (before.slot) return false;
  }
  looked += 1;
  const end = Math.max(after + horizon(looked), until + minute);
  const slots = schedules.flatMap(({ schedule }) => slotsBetween(schedule, after, end, 1));
  const next = Math.min(end, ...slots);
  known.set(schedules, { from: after, next, slot: slots.length > 0 });
  return until < next;
}
