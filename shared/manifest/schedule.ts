import { z } from 'zod';
import { catchUps } from '../job/job.ts';
import { duration, oneOf, text, word } from './field.ts';

export const scheduleExpected = 'a mapping such as { cron: "0 7 * * 1-5", timeZone: Europe/London }';
/** One schedule of a job, as `schedule:` in job.yaml has it. */
export const schedule = z.strictObject(
  {
    cron: z
      .string('five fields such as "0 7 * * 1-5", or a macro such as "@daily"')
      .describe(
        'When the job is expected: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly.',
      ),
    timeZone: z
      .string('an IANA time zone such as Europe/London')
      .default('UTC')
      .describe('IANA time zone of the schedule.'),
    catchUp: oneOf(catchUps)
      .default('latest')
      .describe('What to run after an outage or a pause: only the latest missed slot, all of them, or none.'),
    catchUpLimit: z
      .int('a whole number from 1 to 1000')
      .min(1, 'a whole number from 1 to 1000')
      .max(1000, 'a whole number from 1 to 1000')
      .default(100)
      .describe('With catchUp: all, at most this many slots.'),
    mustStartWithin: duration('1s', '1d')
      .optional()
      .describe('Alert when a run has not begun this long after its slot.'),
    mustFinishBy: text('a local time from "00:00" to "23:59"', /^([01]\d|2[0-3]):[0-5]\d$/)
      .optional()
      .describe('Alert when the run has not succeeded by this local time.'),
    args: z
      .array(word('a list of words such as [--region, north]'), 'a list of words such as [--region, north]')
      .max(64, 'a list of at most 64 words')
      .default([])
      .describe("What runs of this schedule get after the job's command."),
  },
  scheduleExpected,
);
