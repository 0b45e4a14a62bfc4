import { day, hour, type Instant, minute } from '../instant.ts';
import type { CronFields } from './cron.ts';
import type { Stretch, Wall } from './zone.ts';

/** Which dates and times of a local clock the fields of a schedule name; a clock without changes. */

/** Whole days since 1970-01-01 of a local date. */
type DayNumber = number;

/** The first date with a slot from `from` to `to` (both inclusive), backwards when `to` is before `from`. */
export function findDay(f: CronFields, from: DayNumber, to: DayNumber): DayNumber | undefined {
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
export function collect(f: CronFields, { from, to, offset, at }: Stretch, limit: number, found: Instant[]): void {
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

/** The last wall of [from, to) that the fields name. */
export function lastWall(f: CronFields, from: Wall, to: Wall): Wall | undefined {
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
export function countWalls(f: CronFields, from: Wall, to: Wall): number {
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
