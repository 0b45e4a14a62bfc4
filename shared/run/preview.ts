import { type Instant, iso } from '../instant.ts';
import type { Job } from '../job/job.ts';
import { whyClosed } from '../schedule/calendar.ts';
import { previewSlots } from '../schedule/note.ts';
import { localText } from '../schedule/schedule.ts';

/** A slot to come, as people are shown it. */
export interface Preview {
  job: string;
  at: Instant;
  timeZone: string;
  /** That its clock changes, what its run gets, and why it will be skipped. */
  note: string | undefined;
}

/** The next `count` slots after `after` of all these jobs, ascending. A job that is decommissioned has none. Pure. */
export function previewOf(jobs: Iterable<Job>, after: Instant, count: number): Preview[] {
  const slots = [...jobs].flatMap(({ name, status, closed, schedules }) =>
    (status === 'decommissioned' ? [] : schedules).flatMap(({ schedule, args }) =>
      previewSlots(schedule, after, count).map(({ at, note }): Preview => {
        const { timeZone } = schedule;
        const shut = whyClosed(closed, timeZone, at);
        const notes = [note, args.length > 0 ? args.join(' ') : undefined, shut && `skipped: ${shut.reason}`];
        return { job: name, at, timeZone, note: notes.filter(Boolean).join(' · ') || undefined };
      }),
    ),
  );
  return slots.sort((a, b) => a.at - b.at).slice(0, count);
}

/** @returns a `Slot` of the API */
export function slotJson({ job, at, timeZone, note }: Preview) {
  return { job, utc: iso(at), local: localText(timeZone, at), timeZone, note: note ?? null };
}
