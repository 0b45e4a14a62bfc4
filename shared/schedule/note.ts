import { day, type Instant, minute } from '../instant.ts';
import { nextSlots, type Schedule } from './schedule.ts';
import { collect } from './walls.ts';
import { changesBetween, clockText, wallAt } from './zone.ts';

/** What people should know of slots near a change of the clock. */

/** The next slots with a note where the clock changes; the notes are for people. */
export function previewSlots(s: Schedule, after: Instant, count: number): { at: Instant; note?: string }[] {
  return nextSlots(s, after, count).map((at) => {
    const note = noteOf(s, at);
    return note === undefined ? { at } : { at, note };
  });
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
