import { day, type Instant } from '../instant.ts';
import { beginOf, endOf, type LocalTime, parseLocalTime } from './local-time.ts';
import { wallAt, zoneOf } from './zone.ts';

/** Days and windows in which slots are not expected: holidays, weekends, a freeze at the end of the year. Pure. */

export const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
export type Weekday = (typeof weekdays)[number];

/** A named list of days. */
export interface Calendar {
  name: string;
  /** Days of the week that are never working days. */
  weekend: Weekday[];
  /** `2026-12-25` → `Christmas Day`. */
  days: Record<string, string>;
}

/** Days or clock times as written, both included, on the clock of the schedule; times have no offset. */
export interface Blackout {
  from: string;
  to: string;
  why: string;
}

/** What closes a job, whatever its schedules say. */
export interface Closed {
  calendars: Calendar[];
  blackouts: Blackout[];
}

/** Nothing does. */
export const open: Closed = { calendars: [], blackouts: [] };

/** Why a slot is not expected, as a run's row says it; undefined: it is. @throws ScheduleError for an unknown zone */
export function whyClosed(
  { calendars, blackouts }: Closed,
  timeZone: string,
  slot: Instant,
): { code: 'blackout' | 'calendar'; reason: string } | undefined {
  const blackout = blackouts.find(({ from, to }) => isWithin(slot, from, to, timeZone));
  if (blackout) {
    return { code: 'blackout', reason: `blackout from ${blackout.from} to ${blackout.to}: ${blackout.why}` };
  }
  if (calendars.length === 0) return undefined;
  const wall = wallAt(zoneOf(timeZone), slot);
  const date = new Date(wall).toISOString().slice(0, 10);
  const weekday = weekdays[new Date(wall).getUTCDay()];
  for (const { name, weekend, days } of calendars) {
    const holiday = Object.hasOwn(days, date) ? days[date] : undefined;
    if (holiday !== undefined) return { code: 'calendar', reason: `${date} is ${holiday} (calendar ${name})` };
    if (weekday && weekend.includes(weekday)) {
      return { code: 'calendar', reason: `${date} is a ${capital(weekday)} (calendar ${name})` };
    }
  }
  return undefined;
}

function isWithin(slot: Instant, from: string, to: string, timeZone: string): boolean {
  const [begin, end] = [readWindowEnd(from), readWindowEnd(to)];
  // Far from the window the zone need not be asked: clocks are at most a day from UTC.
  if (slot < begin.wall - 2 * day || slot > end.wall + 3 * day) return false;
  return slot >= beginOf(begin, timeZone) && slot <= endOf(end, timeZone);
}

/** @throws TypeError for a text that the manifest's checks refuse */
function readWindowEnd(text: string): Exclude<LocalTime, { kind: 'instant' }> {
  const time = parseLocalTime(text);
  if (!time || time.kind === 'instant') throw new TypeError(`blackout "${text}" is no day and no clock time`);
  return time;
}

function capital(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
}
