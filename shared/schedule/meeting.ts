import type { Instant } from '../instant.ts';
import { nextSlots, type Schedule } from './schedule.ts';

/** The two schedules' search begins here, so that a check says the same on any day. */
const searchedFrom: Instant = Date.UTC(2024, 0, 1);
/** As many steps as the search may take: 20 years of a daily schedule. */
const mostSteps = 7_500;

/** An instant that both schedules name; undefined: none in a search of bounded length from 2024 on. */
export function firstMeeting(one: Schedule, other: Schedule): Instant | undefined {
  let [a, b] = [nextSlots(one, searchedFrom, 1)[0], nextSlots(other, searchedFrom, 1)[0]];
  for (let step = 0; step < mostSteps && a !== undefined && b !== undefined; step += 1) {
    if (a === b) return a;
    if (a < b) a = nextSlots(one, b - 1, 1)[0];
    else b = nextSlots(other, a - 1, 1)[0];
  }
  return undefined;
}
