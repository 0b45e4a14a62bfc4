import type { Instant } from '../instant.ts';
import type { Job } from '../job/job.ts';
import { whyClosed } from '../schedule/calendar.ts';
import { nextSlots, type Schedule, slotsBetween } from '../schedule/schedule.ts';

/** A slot to come. */
export interface ComingSlot {
  at: Instant;
  timeZone: string;
  args: string[];
  /** Why it will be skipped; null: it is expected to run. */
  closed: string | null;
}

/** The next `count` slots after `after` of all schedules, ascending, those that will be skipped included. Pure. */
export function comingSlots({ schedules, closed }: Pick<Job, 'schedules' | 'closed'>, after: Instant, count: number) {
  const slots = schedules.flatMap(({ schedule, args }) =>
    nextSlots(schedule, after, count).map((at): ComingSlot => {
      const { timeZone } = schedule;
      return { at, timeZone, args, closed: whyClosed(closed, timeZone, at)?.reason ?? null };
    }),
  );
  return slots.sort((a, b) => a.at - b.at).slice(0, count);
}

/** How many slots are looked at for one that is expected: a blackout of a day with a slot every minute. */
const mostLooked = 1_500;

/** The next slot that is expected to run; undefined: none, or none soon. */
export function nextExpected(job: Pick<Job, 'schedules' | 'closed'>, after: Instant): ComingSlot | undefined {
  for (let count = 1; count <= mostLooked; count = count < mostLooked ? Math.min(count * 10, mostLooked) : count + 1) {
    const found = comingSlots(job, after, count).find(({ closed }) => closed === null);
    if (found) return found;
  }
  return undefined;
}

/**
 * The slots of a range that were or are expected to run, each once.
 * @param range first and last instant of a schedule's slots, both included
 */
export function expectedSlots(
  { schedules, closed }: Pick<Job, 'schedules' | 'closed'>,
  range: (schedule: Schedule) => readonly [from: Instant, to: Instant],
): Instant[] {
  const slots = schedules.flatMap(({ schedule }) => {
    const { timeZone } = schedule;
    const [from, to] = range(schedule);
    return slotsBetween(schedule, from - 1, to).filter((slot) => whyClosed(closed, timeZone, slot) === undefined);
  });
  return [...new Set(slots)];
}
