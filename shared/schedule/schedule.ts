import { day, hour, type Instant, minute } from '../instant.ts';
import { type CronFields, parseCron } from './cron.ts';
import { ScheduleError } from './error.ts';
import { beginOf, endOf, type LocalTime } from './local-time.ts';
import { collect, countWalls, findDay, lastWall } from './walls.ts';
import {
  changesBetween,
  firstReading,
  gapBefore,
  nextReading,
  stretches,
  type Wall,
  wallAt,
  type Zone,
  zoneOf,
} from './zone.ts';

/**
 * When a job runs: five-field cron in an IANA time zone, as Vixie cron reads it, clock changes included.
 * A pure module: every instant is an argument, slots are whole minutes of the local clock, years 1000 to 9999.
 */
export { ScheduleError } from './error.ts';
export { localText } from './zone.ts';

/** Made by {@link parseSchedule} only; `fields` and `zone` are this module's own business. */
export interface Schedule {
  readonly cron: string;
  readonly timeZone: string;
  readonly fields: CronFields;
  readonly zone: Zone;
}

const earliest: Instant = Date.UTC(1000, 0, 1);
const latest: Instant = Date.UTC(10_000, 0, 1) - 1;
/** The Gregorian calendar, weekdays included, repeats after this many days (400 years). */
const cycle = 146_097;
/** Long searches ask the zone for this much at a time, so that clock changes are only looked up near a date that matters. */
const chunk = 31 * day;

/** Schedules that were read: ten thousand jobs have a few hundred, and after an outage each tick reads those of the past. */
const known = new Map<string, Schedule>();
const mostKnown = 2_000;

/** Reads a schedule. @throws ScheduleError: `message` has the value and the expectation, `hint` says what to do. */
export function parseSchedule(cron: string, timeZone: string): Schedule {
  const key = `${timeZone} ${cron}`;
  const found = known.get(key);
  if (found) return found;
  if (known.size >= mostKnown) known.clear();
  const schedule = read(cron, timeZone);
  known.set(key, schedule);
  return schedule;
}

function read(cron: string, timeZone: string): Schedule {
  const fields = parseCron(cron);
  if (findDay(fields, 0, cycle - 1) === undefined) {
    throw new ScheduleError(
      'impossible',
      cron,
      `cron "${cron}" names a date that no year has, expected a date that comes at least once in 400 years`,
      'choose a day that the month has, or write L as the day of month for its last day',
      'day of month',
    );
  }
  return { cron, timeZone, fields, zone: zoneOf(timeZone) };
}

/** The next `count` slots strictly after `after`, ascending; fewer only when the year 10000 comes first. */
export function nextSlots(s: Schedule, after: Instant, count: number): Instant[] {
  return slotsBetween(s, after, latest, count);
}

/** The first `limit` slots in (after, until], ascending. */
export function slotsBetween(s: Schedule, after: Instant, until: Instant, limit = Number.POSITIVE_INFINITY): Instant[] {
  const [start, end] = range(after, until);
  const found: Instant[] = [];
  for (let from = start; from < end && found.length < limit; ) {
    if (end - from > chunk) {
      // A date begins at most a day before, and a skipped one runs at most two days after, its place in UTC.
      const next = findDay(s.fields, Math.floor(from / day) - 2, Math.floor(end / day) + 2);
      if (next === undefined) break;
      from = Math.max(from, (next - 1) * day - 1);
      if (from >= end) break;
    }
    const to = Math.min(from + chunk, end);
    for (const stretch of stretches(s.zone, from, to, s.fields.followsClock)) collect(s.fields, stretch, limit, found);
    from = to;
  }
  return found;
}

/** The newest slot in (after, until], found from its end. */
export function latestSlot(s: Schedule, after: Instant, until: Instant): Instant | undefined {
  const [start, end] = range(after, until);
  for (let to = end; to > start; ) {
    const last = findDay(s.fields, Math.floor(to / day) + 2, Math.floor(start / day) - 2);
    if (last === undefined) return undefined;
    to = Math.min(to, (last + 3) * day);
    const from = Math.max(to - chunk, start);
    for (const stretch of stretches(s.zone, from, to, s.fields.followsClock).reverse()) {
      const wall = lastWall(s.fields, stretch.from, stretch.to);
      if (wall !== undefined) return stretch.at ?? wall - stretch.offset;
    }
    to = from;
  }
  return undefined;
}

/** How many slots (after, until] holds: exact, by arithmetic on whole dates. */
export function countSlots(s: Schedule, after: Instant, until: Instant): number {
  const [start, end] = range(after, until);
  if (start >= end) return 0;
  let count = 0;
  for (const { from, to, at } of stretches(s.zone, start, end, s.fields.followsClock)) {
    count += at === undefined ? countWalls(s.fields, from, to) : lastWall(s.fields, from, to) === undefined ? 0 : 1;
  }
  return count;
}

/**
 * The first slot that the minute and hour fields give on a local date `YYYY-MM-DD`, whatever the day and month fields
 * say. When the clock skips all of it: the first minute after the gap. @throws RangeError when there is no such date.
 */
export function slotOnDate(s: Schedule, date: string): Instant {
  const start = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00Z`) : Number.NaN;
  if (!(start >= earliest) || new Date(start).toISOString().slice(0, 10) !== date) {
    throw new RangeError(`date "${date}" does not exist, expected YYYY-MM-DD such as 2026-11-20`);
  }
  const { hours, minutes, followsClock } = s.fields;
  for (const h of hours) {
    for (const m of minutes) {
      const wall = start + h * hour + m * minute;
      const at = firstReading(s.zone, wall);
      if (!followsClock || wallAt(s.zone, at) === wall) return at;
    }
  }
  return firstReading(s.zone, start + (hours[0] ?? 0) * hour + (minutes[0] ?? 0) * minute);
}

/**
 * The bounds of the slots of a range, both included; the first is after the last where it has none. A slot belongs to
 * each day of which it stands for a time: where the clock skips to midnight, those of the old day run as the new begins.
 */
export function slotRange(s: Schedule, from: LocalTime, to: LocalTime): [Instant, Instant] {
  const [begin, end] = [beginOf(from, s.timeZone), endOf(to, s.timeZone)];
  const late = from.kind === 'day' && !standsFor(s, begin, from.wall, Number.POSITIVE_INFINITY);
  const first = late ? begin + 1 : begin;
  if (to.kind !== 'day') return [first, end];
  const next = firstReading(s.zone, to.wall + day);
  if (standsFor(s, next, to.wall, to.wall + day)) return [first, Math.max(end, next)];
  // Of a day that the clock skips as a whole, nothing but the slots that stand for it.
  return [first, end === next ? next - 1 : end];
}

/** Whether a slot at this instant is for a clock time in [from, to): the one then, or one that was skipped until then. */
function standsFor(s: Schedule, slot: Instant, from: Wall, to: Wall): boolean {
  const wall = wallAt(s.zone, slot);
  const skipped = s.fields.followsClock ? undefined : gapBefore(s.zone, slot)?.from;
  const [low, high] = [Math.max(skipped ?? wall, from), Math.min(wall + 1, to)];
  return low < high && lastWall(s.fields, low, high) !== undefined;
}

/**
 * When a run must be over that has to finish by a local time `07:45`: when the clock reads it next, counted from the
 * time that the slot is for. A slot whose own time the clock skipped keeps its distance to a limit in the same gap.
 */
export function dueBy(s: Schedule, slot: Instant, time: string): Instant {
  const wall = slotWall(s, slot);
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const sameDay = Math.floor(wall / day) * day + hours * hour + minutes * minute;
  const limit = sameDay > wall ? sameDay : sameDay + day;
  if (limit <= wallAt(s.zone, slot)) return slot + (limit - wall);
  return nextReading(s.zone, limit, slot);
}

/** The clock time that a slot is for: the one that was skipped where it stands for that, the earliest of several. */
function slotWall(s: Schedule, slot: Instant): Wall {
  const gap = s.fields.followsClock ? undefined : gapBefore(s.zone, slot);
  const lost: Instant[] = [];
  if (gap) collect(s.fields, { ...gap, offset: 0 }, 1, lost);
  return lost[0] ?? wallAt(s.zone, slot);
}

/** Every change of a zone's clock in (after, until]; offsets in minutes east of UTC. @throws ScheduleError */
export function clockChanges(
  timeZone: string,
  after: Instant,
  until: Instant,
): { at: Instant; fromOffset: number; toOffset: number }[] {
  const zone = zoneOf(timeZone);
  const [start, end] = range(after, until);
  if (start >= end) return [];
  return changesBetween(zone, start, end).map((change) => ({
    at: change.at,
    fromOffset: change.before / minute,
    toOffset: change.after / minute,
  }));
}

/** Whole milliseconds within the years we know. @throws RangeError for what is no number. */
function range(after: Instant, until: Instant): [Instant, Instant] {
  if (Number.isNaN(after) || Number.isNaN(until)) {
    throw new RangeError(`slots from ${after} to ${until}: expected milliseconds since 1970`);
  }
  return [Math.floor(Math.max(after, earliest)), Math.floor(Math.min(until, latest))];
}
