import { day, hour, type Instant, minute } from '../instant.ts';
import { type CronFields, parseCron } from './cron.ts';
import { ScheduleError } from './error.ts';
import {
  changesBetween,
  clockText,
  firstReading,
  gapBefore,
  nextReading,
  type Stretch,
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

/** Whole days since 1970-01-01 of a local date. */
type DayNumber = number;

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

/** The next slots with a note where the clock changes; the notes are for people. */
export function previewSlots(s: Schedule, after: Instant, count: number): { at: Instant; note?: string }[] {
  return nextSlots(s, after, count).map((at) => {
    const note = noteOf(s, at);
    return note === undefined ? { at } : { at, note };
  });
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

function noteOf({ fields, zone }: Schedule, at: Instant): string | undefined {
  const wall = wallAt(zone, at);
  for (const change of changesBetween(zone, at - 2 * day, at + 2 * day)) {
    const [old, fresh] = [change.at + change.before, change.at + change.after];
    if (fresh > old && !fields.followsClock && at >= change.at && at < change.at + minute) {
      const lost: Instant[] = [];
      collect(fields, { from: old, to: fresh, offset: 0 }, 1441, lost);
      const [first, last] = [lost[0], lost.at(-1)];
      if (first === undefined || last === undefined) continue;
      const then = clockText(wall, first);
      const when = then.length > 5 ? '' : ' on this day';
      if (first === last) return `${clockText(first, wall)} does not exist${when}: runs at ${then}`;
      const times = `${clockText(first, wall)} ${lost.length === 2 ? 'and' : 'to'} ${clockText(last, first)}`;
      return `${times} do not exist${when}: runs once at ${then}`;
    }
    if (fresh < old && wall >= fresh && wall < old) {
      const pass = fields.followsClock
        ? at < change.at
          ? 'runs both times'
          : 'this is the second time'
        : 'runs the first time';
      return `${clockText(wall, wall)} comes twice on this day: ${pass}`;
    }
  }
  return undefined;
}

/** Whole milliseconds within the years we know. @throws RangeError for what is no number. */
function range(after: Instant, until: Instant): [Instant, Instant] {
  if (Number.isNaN(after) || Number.isNaN(until)) {
    throw new RangeError(`slots from ${after} to ${until}: expected milliseconds since 1970`);
  }
  return [Math.floor(Math.max(after, earliest)), Math.floor(Math.min(until, latest))];
}

/** The first date with a slot from `from` to `to` (both inclusive), backwards when `to` is before `from`. */
function findDay(f: CronFields, from: DayNumber, to: DayNumber): DayNumber | undefined {
  const step = to < from ? -1 : 1;
  const start = new Date(from * day);
  let [year, month, date] = [start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate()];
  for (;;) {
    const first = Date.UTC(year, month, 1) / day;
    if (step > 0 ? first > to : first + 30 < to) return undefined;
    const length =
      month === 1
        ? Date.UTC(year, 2, 1) / day - first
        : month === 3 || month === 5 || month === 8 || month === 10
          ? 30
          : 31;
    if (f.months.includes(month + 1)) {
      for (let d = Math.min(date, length); d >= 1 && d <= length; d += step) {
        const found = first + d - 1;
        if (step > 0 ? found > to : found < to) return undefined;
        if (runsOn(f, d, length, (((found + 4) % 7) + 7) % 7)) return found;
      }
    }
    month += step;
    if (month < 0 || month > 11) [year, month] = [year + step, month < 0 ? 11 : 0];
    date = step > 0 ? 1 : 31;
  }
}

/** Both day fields restricted: either is enough; one of them a star: both must hold (Vixie's rule). */
function runsOn(f: CronFields, date: number, length: number, weekday: number): boolean {
  const byDate = ((f.days >>> date) & 1) === 1 || (f.lastDay && date === length);
  const nth = (f.nth[Math.ceil(date / 7)] ?? 0) | (date + 7 > length ? (f.nth[0] ?? 0) : 0);
  const byWeekday = (((f.weekdays | nth) >>> weekday) & 1) === 1;
  return f.eitherDay ? byDate || byWeekday : byDate && byWeekday;
}

/** Appends the slots of a stretch until `found` holds `limit`. */
function collect(f: CronFields, { from, to, offset, at }: Stretch, limit: number, found: Instant[]): void {
  const final = Math.floor((to - 1) / day);
  for (let date = Math.floor(from / day); date <= final; date++) {
    const next = findDay(f, date, final);
    if (next === undefined) return;
    date = next;
    for (const h of f.hours) {
      const start = date * day + h * hour;
      if (start + hour <= from) continue;
      if (start >= to) return;
      for (const m of f.minutes) {
        const wall = start + m * minute;
        if (wall < from) continue;
        if (wall >= to || found.length >= limit) return;
        found.push(at ?? wall - offset);
        if (at !== undefined) return;
      }
    }
  }
}

function lastWall(f: CronFields, from: Wall, to: Wall): Wall | undefined {
  const final = Math.floor(from / day);
  for (let date = Math.floor((to - 1) / day); date >= final; date--) {
    const found = findDay(f, date, final);
    if (found === undefined) return undefined;
    date = found;
    for (const h of f.hours.toReversed()) {
      const start = date * day + h * hour;
      if (start >= to) continue;
      if (start + hour <= from) break;
      const m = f.minutes.findLast((value) => start + value * minute < to);
      if (m !== undefined && start + m * minute >= from) return start + m * minute;
    }
  }
  return undefined;
}

/** How many walls of [from, to) the fields name. */
function countWalls(f: CronFields, from: Wall, to: Wall): number {
  const final = Math.floor((to - 1) / day);
  let count = 0;
  for (let date = Math.floor(from / day); date <= final; date++) {
    const found = findDay(f, date, final);
    if (found === undefined) break;
    date = found;
    const [low, high] = [from - date * day, to - date * day];
    if (low <= 0 && high >= day) count += f.hours.length * f.minutes.length;
    else {
      for (const h of f.hours) {
        count += f.minutes.filter((m) => h * hour + m * minute >= low && h * hour + m * minute < high).length;
      }
    }
  }
  return count;
}
