import { day, type Instant, minute } from '../instant.ts';
import { firstReading, lastReading, lastReadingBefore, type Wall, zoneOf } from './zone.ts';

/**
 * Days and clock times as people write them, and the instants that they begin and end at. A clock that is put back
 * reads some times twice, one that is put forward leaves some out: a beginning is the first reading, an end the last,
 * and a time that was left out is the first instant after the gap, where its slot runs as well.
 */

/** What was written: a day, a time on the clock of a zone to be named later, or an instant. */
export type LocalTime = { kind: 'day'; wall: Wall } | { kind: 'clock'; wall: Wall } | { kind: 'instant'; at: Instant };

const pattern = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/** Reads `2026-11-20`, `2026-11-20T07:00` or `2026-11-20T07:00+01:00`; undefined when no calendar or clock shows it. */
export function parseLocalTime(text: string): LocalTime | undefined {
  const [found, year = '', month = '', date = '', hours, minutes = '00', seconds = '00', offset] =
    pattern.exec(text) ?? [];
  if (found === undefined) return undefined;
  const plain = `${year}-${month}-${date}T${hours ?? '00'}:${minutes}:${seconds}`;
  const wall = Date.parse(`${plain}Z`);
  // The parser takes 31 February for 3 March.
  if (Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 19) !== plain) return undefined;
  if (offset !== undefined) {
    const east = offsetMs(offset);
    return east === undefined ? undefined : { kind: 'instant', at: wall - east };
  }
  return { kind: hours === undefined ? 'day' : 'clock', wall };
}

/** The first instant of a day, or at which the clock reads a time. @throws ScheduleError for an unknown zone */
export function beginOf(time: LocalTime, timeZone: string): Instant {
  return time.kind === 'instant' ? time.at : firstReading(zoneOf(timeZone), time.wall);
}

/** The last instant of a day (to the millisecond), or at which the clock reads a time. @throws ScheduleError */
export function endOf(time: LocalTime, timeZone: string): Instant {
  if (time.kind === 'instant') return time.at;
  const zone = zoneOf(timeZone);
  if (time.kind === 'clock') return lastReading(zone, time.wall);
  // A day that the clock skipped as a whole ends where it begins: its slots run there.
  return Math.max(lastReadingBefore(zone, time.wall + day), firstReading(zone, time.wall));
}

/** Whether a range ends before it begins. A time that the clock skips is not after the day that it belongs to. */
export function isBackwards(from: LocalTime, to: LocalTime, timeZone: string): boolean {
  const lastWall = to.kind === 'day' ? to.wall + day - 1 : to.kind === 'clock' ? to.wall : undefined;
  if (from.kind !== 'instant' && lastWall !== undefined && from.wall <= lastWall) return false;
  return beginOf(from, timeZone) > endOf(to, timeZone);
}

function offsetMs(offset: string): number | undefined {
  if (offset === 'Z') return 0;
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(-2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * minute;
}
