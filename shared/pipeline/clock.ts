import { hour, type Instant, iso, minute, second } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { lookAhead } from './look-ahead.ts';

/** Ticks come every minute or more often: a longer step of the clock is an outage, or the clock is wrong. */
const usualStep = 3 * minute;
/** Clocks that agree this well are both right: the store counts whole seconds, and its answer takes a while. */
const tolerance = 90 * second;
/** How long it holds that a person has confirmed the time. */
const confirmedFor = hour;

/** What is known of the time when a clock is looked at: the last tick, how far slots are claimed, a person's word. */
export interface KnownTimes {
  heartbeat: Instant | undefined;
  confirmed?: Instant | undefined;
  cursor?: { value: { at: Instant } } | undefined;
}

/** Nothing may be decided by this clock. */
export class WrongClock extends Error {
  constructor(now: Instant, there: Instant, { heartbeat }: KnownTimes) {
    const last = heartbeat === undefined ? '' : `, the last tick was at ${iso(heartbeat)}`;
    super(
      `this host's clock reads ${iso(now)} and the store's ${iso(there)}${last}: nothing is claimed or watched. ` +
        'Set the clock of this host, or if it is right confirm it: lamp clock --confirm --why <reason>',
    );
    this.name = 'WrongClock';
  }
}

/**
 * The time for what is written once and compared for years: that of the store where this clock differs from it, as all
 * hosts share it. A host that starts with a wrong clock would take a newer package for one of the future, or the past.
 */
export async function sharedTime({ store }: Parts, now: Instant): Promise<Instant> {
  const there = await store.time();
  return Math.abs(there - now) <= tolerance ? now : there;
}

/** Whether the cursor stands where no tick with a right clock can have put it. */
export function inFuture(cursor: Instant | undefined, now: Instant): boolean {
  return cursor !== undefined && cursor > now + lookAhead + usualStep;
}

/**
 * A clock that made an unusual step, or disagrees with what was written down, must be confirmed by a second one: the
 * store's, or a person's. Costs a request only then.
 * @param read when `now` was read, on the monotonic clock, ms: time that passed since is no difference of clocks, and a
 *   store that comes back from an outage takes minutes to answer
 * @throws WrongClock
 */
export async function checkClock(
  { store }: Parts,
  now: Instant,
  known: KnownTimes,
  read: number = performance.now(),
): Promise<void> {
  const { heartbeat, confirmed } = known;
  const usual = heartbeat !== undefined && Math.abs(now - heartbeat) <= usualStep;
  if (usual && !inFuture(known.cursor?.value.at, now)) return;
  if (confirmed !== undefined && Math.abs(now - confirmed) <= confirmedFor) return;
  const passed = () => performance.now() - read;
  const asked = now + passed();
  const there = await store.time();
  const answered = now + passed();
  if (there < asked - tolerance || there > answered + tolerance)
    throw new WrongClock(Math.round(answered), there, known);
}

/** The same for a step that has not read what is known. @throws WrongClock */
export async function checkTime(parts: Parts, now: Instant, read: number = performance.now()): Promise<void> {
  const known = await parts.store.marks.progress().catch(() => ({ heartbeat: undefined }));
  await checkClock(parts, now, known, read);
}
