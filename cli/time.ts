import { day, hour, type Instant, minute } from '../shared/instant.ts';
import { beginOf, endOf, type LocalTime, parseLocalTime } from '../shared/schedule/local-time.ts';
import { Refusal } from './refusal.ts';

/** Reads a day, a clock time or an instant as people give it. @throws Refusal naming `what`, when it is none */
export function readTime(what: string, text: string): LocalTime {
  const time = parseLocalTime(text);
  if (time) return time;
  throw new Refusal(`${what} "${text}" is no time: write 2026-11-20, or an instant such as 2026-11-20T07:00Z`);
}

/** The first instant of what was given: a day and a time without an offset are on the clock of `timeZone`. @throws Refusal */
export function readFrom(what: string, text: string, timeZone = 'UTC'): Instant {
  return beginOf(readTime(what, text), timeZone);
}

/** The last instant of what was given, a whole day included. @throws Refusal */
export function readTo(what: string, text: string, timeZone = 'UTC'): Instant {
  return endOf(readTime(what, text), timeZone);
}

/** `2h`, `7d`, `30m` ago, or a time as {@link readFrom} takes it. @throws Refusal */
export function readSince(text: string, now: Instant): Instant {
  const age = /^(\d{1,5})([mhd])$/.exec(text);
  if (age) return now - Number(age[1]) * { m: minute, h: hour, d: day }[age[2] as 'm' | 'h' | 'd'];
  try {
    return readFrom('--since', text);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`${error.message}, or an age such as 30m, 2h or 7d`) : error;
  }
}
