import { IANAZone } from 'luxon';
import { day, hour, type Instant, minute } from '../instant.ts';
import { ScheduleError } from './error.ts';
import { abbreviations, meantZones } from './places.ts';

/**
 * IANA time zones: wall clock to UTC and back, and where the clock changes.
 * A *wall* is what a local clock reads, written as the milliseconds of the same reading in UTC.
 */
export type Wall = number;

/** A time during which the offset (ms, wall − instant) stays the same; `to` is exclusive. */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
  readonly offset: number;
}

/** Walls `from` to `to` (exclusive), run at wall − offset; with `at`, all of them at that one instant. */
export interface Stretch {
  readonly from: Wall;
  readonly to: Wall;
  readonly offset: number;
  readonly at?: Instant;
}

export interface Zone {
  readonly name: string;
  readonly clock: IANAZone;
  readonly years: Map<number, readonly Span[]>;
  /** The span asked for last: a tick asks for the same minutes thousands of times. */
  recent: Span | undefined;
}

/** No clock has moved by more than 26 h at once; a day skipped or repeated is found this far back. */
const reach = 2 * day;

const zones = new Map<string, Zone>();
const utc = ['UTC', 'Etc/UTC'];

/** The zone of an IANA name, written as IANA writes it. @throws ScheduleError with code `time-zone` and the nearest names. */
export function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known) return known;
  const refuse = (what: string, hint: string) =>
    new ScheduleError(
      'time-zone',
      name,
      `time zone "${name}" ${what}, expected an IANA name such as Europe/London`,
      hint,
    );
  if (/^[+-]\d|^(UTC|GMT|Etc\/GMT)[+-]?\d/i.test(name)) {
    throw refuse(
      'is an offset',
      'name the place instead, such as Europe/Berlin: an offset knows no summer time; or write UTC',
    );
  }
  const names = [...Intl.supportedValuesOf('timeZone'), ...utc];
  if (!names.includes(name)) {
    const abbreviation = /^([A-Z]{1,5})(\d[A-Z]{3})?$/i.exec(name)?.[1];
    if (
      abbreviation !== undefined &&
      (name === name.toUpperCase() ||
        Object.hasOwn(abbreviations, name.toUpperCase()) ||
        /^([EMH]ST|PRC|RO[CK])$/i.test(name))
    ) {
      const place = abbreviations[abbreviation.toUpperCase()] ?? ianaPlace(name);
      throw refuse('is an abbreviation', `name the place instead${place ? `: ${place}` : ', such as Europe/Berlin'}`);
    }
    if (!legacyName(name, names)) {
      // The platform knows old names in any case: us/eastern is America/New_York.
      const meant = meantZones(name, names, ianaPlace(name));
      const hint = `did you mean ${meant.join(', ')}?`;
      throw refuse('is unknown', meant.length > 0 ? hint : 'write a place of the IANA list, such as Europe/Berlin');
    }
  }
  const zone = { name, clock: IANAZone.create(name), years: new Map(), recent: undefined };
  zones.set(name, zone);
  return zone;
}

/** Where the time zone database says that people use an abbreviation of its own: `HST`, `PRC`, `EST5EDT`. */
function ianaPlace(name: string): string | undefined {
  if (!IANAZone.isValidZone(name)) return undefined;
  const place = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  const summer = { EST: 'America/New_York', MST: 'America/Denver' }[name.toUpperCase()];
  // In the database these two have no summer time; many who write them mean that they do.
  return summer ? `${place} (no summer time, as IANA has it) or ${summer} (with summer time)` : place;
}

/** Old names such as US/Eastern or Japan are no list in the platform; it also takes any case, we take only theirs. */
function legacyName(name: string, names: string[]): boolean {
  const capitals = /^(US|GB-Eire|NZ-CHAT|W-SU|ACT|NSW|LHI)$/;
  const cased = name.split('/').every((word) => capitals.test(word) || /^[A-Z][A-Za-z]*[a-z][\w-]*$/.test(word));
  const misspelt = names.some((known) => known.toLowerCase() === name.toLowerCase());
  return cased && !misspelt && !name.startsWith('Etc/') && IANAZone.isValidZone(name);
}

/**
 * The spans of one UTC year, in order. Offsets are sampled every three days and bisected to the second: the closest
 * two changes in the time zone database are four days apart (Freetown, 1939).
 */
function spansOfYear(zone: Zone, year: number): readonly Span[] {
  const known = zone.years.get(year);
  if (known) return known;
  const spans: Span[] = [];
  if (year >= 2500) {
    // Beyond the last dated rule the calendar repeats every 400 years (146,097 days, whole weeks).
    const cycles = Math.floor((year - 2100) / 400);
    const shift = cycles * 146_097 * day;
    for (const { from, to, offset } of spansOfYear(zone, year - cycles * 400)) {
      spans.push({ from: from + shift, to: to + shift, offset });
    }
  } else {
    const read = (at: Instant) => Math.round(zone.clock.offset(at) * minute);
    const end = Date.UTC(year + 1, 0, 1);
    let from = Date.UTC(year, 0, 1);
    let offset = read(from);
    for (let low = from; low < end; ) {
      const high = Math.min(low + 3 * day, end);
      if (read(high) !== offset) {
        let [before, after] = [low, high];
        while (after - before > 1000) {
          const middle = before + Math.floor((after - before) / 2000) * 1000;
          if (read(middle) === offset) before = middle;
          else after = middle;
        }
        spans.push({ from, to: after, offset });
        [from, offset] = [after, read(after)];
      }
      low = high;
    }
    if (from < end) spans.push({ from, to: end, offset });
  }
  zone.years.set(year, spans);
  return spans;
}

/** The spans that touch `from` to `until`, both inclusive. A span may end where the offset does not change. */
function spansBetween(zone: Zone, from: Instant, until: Instant): readonly Span[] {
  const { recent } = zone;
  if (recent && from >= recent.from && until < recent.to) return [recent];
  const last = new Date(until).getUTCFullYear();
  const spans: Span[] = [];
  for (let year = new Date(from).getUTCFullYear(); year <= last; year++) {
    for (const span of spansOfYear(zone, year)) if (span.to > from && span.from <= until) spans.push(span);
  }
  if (spans.length === 1) zone.recent = spans[0];
  return spans;
}

/** What the local clock reads at an instant. */
export function wallAt(zone: Zone, at: Instant): Wall {
  return at + (spansBetween(zone, at, at)[0]?.offset ?? 0);
}

/** The first instant at which the local clock reads `wall` or later: the first pass of an overlap, the end of a gap. */
export function firstReading(zone: Zone, wall: Wall): Instant {
  for (const { from, to, offset } of spansBetween(zone, wall - reach, wall + reach)) {
    if (to + offset > wall) return Math.max(from, wall - offset);
  }
  throw new RangeError(
    `${zone.name} never reads ${new Date(wall).toISOString().slice(0, 16)}, expected a year up to 9999`,
  );
}

/** The last instant at which the local clock reads `wall`; the end of the gap when it never does. */
export function lastReading(zone: Zone, wall: Wall): Instant {
  const spans = spansBetween(zone, wall - reach, wall + reach);
  const last = spans.findLast(({ from, to, offset }) => from + offset <= wall && wall < to + offset);
  return last ? wall - last.offset : firstReading(zone, wall);
}

/** The last instant (to the millisecond) at which the local clock reads less than `wall`. */
export function lastReadingBefore(zone: Zone, wall: Wall): Instant {
  const spans = spansBetween(zone, wall - reach, wall + reach);
  const last = spans.findLast(({ from, offset }) => from + offset < wall);
  return last ? Math.min(last.to, wall - last.offset) - 1 : firstReading(zone, wall) - 1;
}

/** The first instant after `after` at which the local clock reads `wall` or later. */
export function nextReading(zone: Zone, wall: Wall, after: Instant): Instant {
  for (const { from, to, offset } of spansBetween(zone, after, wall + reach)) {
    const at = Math.max(from, wall - offset, after + 1);
    if (at < to) return at;
  }
  return firstReading(zone, wall);
}

/** The gap that the clock jumps over in the minute that ends with `at`; undefined: none. Walls, the end exclusive. */
export function gapBefore(zone: Zone, at: Instant): { from: Wall; to: Wall } | undefined {
  const change = changesBetween(zone, at - minute, at).find(({ before, after }) => after > before);
  return change && { from: change.at + change.before, to: change.at + change.after };
}

/**
 * What the local clock goes through in (after, until], ascending in both wall and instant.
 * Following the clock: gaps are left out, overlaps come twice. Otherwise each wall comes once: those of a gap together
 * at the first minute after it, those of an overlap in the first pass.
 */
export function stretches(zone: Zone, after: Instant, until: Instant, followsClock: boolean): Stretch[] {
  const found: Stretch[] = [];
  let reached: Wall | undefined; // the first wall that no earlier span has shown
  for (const { from, to, offset } of spansBetween(zone, after - reach, until)) {
    let start = Math.max(from, after + 1) + offset;
    if (!followsClock && reached !== undefined) {
      const begin = Math.ceil((from + offset) / minute) * minute;
      const at = begin - offset;
      if (begin > reached && at > after && at <= until) {
        found.push({ from: reached, to: begin + 1, offset, at });
        start = begin + 1;
      }
      start = Math.max(start, reached);
    }
    const end = Math.min(to, until + 1) + offset;
    if (start < end) found.push({ from: start, to: end, offset });
    reached = Math.max(reached ?? end, to + offset);
  }
  return found;
}

/** A change of the clock: offsets (ms) until and from `at`. */
export interface Change {
  readonly at: Instant;
  readonly before: number;
  readonly after: number;
}

/** Every change of the offset in (after, until]. */
export function changesBetween(zone: Zone, after: Instant, until: Instant): Change[] {
  const changes: Change[] = [];
  const spans = spansBetween(zone, after - 1, until);
  spans.forEach((span, i) => {
    const before = spans[i - 1];
    if (before && span.from > after && before.offset !== span.offset) {
      changes.push({ at: span.from, before: before.offset, after: span.offset });
    }
  });
  return changes;
}

/** `2026-03-29T03:00:00+02:00`: local time with its offset (seconds only where a historic offset has them). */
export function localText(timeZone: string, at: Instant): string {
  const wall = wallAt(zoneOf(timeZone), at);
  const offset = Math.abs(wall - at);
  const pad = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const seconds = offset % minute === 0 ? '' : `:${pad((offset % minute) / 1000)}`;
  const sign = wall < at ? '-' : '+';
  return `${new Date(wall).toISOString().slice(0, 19)}${sign}${pad(offset / hour)}:${pad((offset % hour) / minute)}${seconds}`;
}

/** `02:30` of a wall, or `2011-12-31 00:00` when it is not on the date of `beside`. */
export function clockText(wall: Wall, beside: Wall): string {
  const text = new Date(wall).toISOString();
  return Math.floor(wall / day) === Math.floor(beside / day)
    ? text.slice(11, 16)
    : `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}
