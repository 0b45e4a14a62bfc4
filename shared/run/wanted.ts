import type { Instant } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { LocalTime } from '../schedule/local-time.ts';
import { countSlots, nextSlots, slotOnDate, slotRange } from '../schedule/schedule.ts';
import { expectedSlots } from './next.ts';

/** Which slots of a job a person means: all of a range, or one on each of some days. */
export type Wanted = { from: LocalTime; to: LocalTime } | { dates: readonly string[] };

/** The slots, each once. Days and times are on the clock of each schedule's own zone. Pure. */
export function wantedSlots(job: Pick<Job, 'schedules' | 'closed'>, wanted: Wanted): Instant[] {
  if (!('dates' in wanted)) {
    return expectedSlots(job, (schedule) => slotRange(schedule, wanted.from, wanted.to));
  }
  const [first] = job.schedules;
  return first ? [...new Set(wanted.dates.map((date) => slotOnDate(first.schedule, date)))] : [];
}

/** How many slots that are at most, without making each. */
export function countWanted({ schedules }: Pick<Job, 'schedules'>, wanted: Wanted): number {
  if ('dates' in wanted) return wanted.dates.length;
  return schedules.reduce((sum, { schedule }) => {
    const [from, to] = slotRange(schedule, wanted.from, wanted.to);
    return from > to ? sum : sum + countSlots(schedule, from - 1, to);
  }, 0);
}

/** A slot of these that has not come yet; undefined: all are past. */
export function futureSlot(job: Pick<Job, 'schedules' | 'closed'>, wanted: Wanted, now: Instant): Instant | undefined {
  if ('dates' in wanted) return wantedSlots(job, wanted).find((slot) => slot > now);
  const coming = job.schedules.flatMap(({ schedule }) => {
    const [from, to] = slotRange(schedule, wanted.from, wanted.to);
    return nextSlots(schedule, Math.max(from - 1, now), 1).filter((slot) => slot <= to);
  });
  return coming.sort((a, b) => a - b)[0];
}
