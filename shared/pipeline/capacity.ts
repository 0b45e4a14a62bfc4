import { type Instant, second } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { isFinal } from '../run/run.ts';
import type { ActiveRun } from '../store/active.ts';
import type { LaunchMessage } from '../store/launches.ts';
import type { InLine, Place, PlacesView } from '../store/places.ts';
import type { Versioned } from '../store/table.ts';
import { hasPlace, inLine, spareFor, wakeLine } from './line.ts';
import { forget, isOf, look, nameOf, settledAt, viewerOf } from './places-seen.ts';

/**
 * The limit on attempts that run at once, of all hosts together: each attempt takes one of `limit` rows, whose keys
 * cannot be taken twice. Without a free one it stands in line, and costs nothing until an attempt that ends wakes it.
 */

/** Without contention a view is good for this long: a taken number is refused by the store in any case. */
const freshFor = second;

/**
 * What comes of asking for a place. `start`: it has one, of this number; none where there is no limit. `wait`: it stands
 * in line, and a message comes for it when it is its turn. `later`: another launch of the same attempt has one, and
 * starts it there, unless its host has died by then. `begun`: the attempt is under way, or over.
 */
export type Entry = { do: 'start'; number?: number } | { do: 'wait' } | { do: 'later'; at: Instant } | { do: 'begun' };

/** Takes a place for an attempt that may start now: it is of this launch alone, which starts in it or leaves it. */
export async function enter(parts: Parts, message: LaunchMessage, order: string, now: Instant): Promise<Entry> {
  const { limit } = parts;
  if (limit === undefined) return { do: 'start' };
  const { places } = parts.store;
  const me = inLine(message, order, now);
  const { last } = viewerOf(places);
  let queued = false;
  let view = last && Math.abs(now - last.at) < freshFor ? last.view : await look(parts, limit, now);
  for (;;) {
    const ours = view.taken.find(({ value }) => isOf(value, message));
    const at = ours && settledAt(parts, ours);
    if (at !== undefined && now < at) return { do: 'later', at };
    // What this host knows of the run may be a guess: its attempt may be under way by now, in that place.
    if (ours && (await hasBegun(parts, message))) return { do: 'begun' };
    if (ours || view.taken.some(({ value }) => isEarlier(value, message))) {
      // Of a host that died before it started or left: while this run is under way no one else would free it.
      const isLeft = (place: Versioned<Place>) =>
        isEarlier(place.value, message) || (isOf(place.value, message) && now >= settledAt(parts, place));
      for (const place of (await look(parts, limit, now)).taken) if (isLeft(place)) await places.free(place);
      view = await look(parts, limit, now);
    }
    if (hasRoom(view, me, limit)) {
      const { job, run, attempt } = message;
      const place = { number: freeNumber(view, limit), job, run, attempt, since: now };
      if (await places.take(place)) {
        view.taken.push({ value: place, etag: '' });
        if (queued || message.inLine) await places.leave(me);
        return { do: 'start', number: place.number };
      }
    } else if (queued) {
      viewerOf(places).woken.delete(nameOf(me));
      // A place is free, and those before us were not woken, or are gone.
      if (view.taken.length < limit) await wakeLine(parts, now, view);
      return { do: 'wait' };
    } else {
      await places.queue(me);
      queued = true;
    }
    // After the write: who frees a place meanwhile sees us in line, or we see the place.
    view = await look(parts, limit, now);
  }
}

/**
 * Gives a place back after a failure: a run that cannot be started must not keep others from starting. In doubt whether it
 * has begun the place stays, for the watch to see to.
 */
export async function leaveUnbegun(parts: Parts, message: LaunchMessage, now: Instant, number?: number): Promise<void> {
  try {
    if (!(await hasBegun(parts, message))) await leave(parts, message, now, number);
  } catch (error) {
    parts.emit({ type: 'trouble', doing: `giving back the place of ${message.job}.${message.run}`, error });
  }
}

/** Whether a launch still has its place: another may have taken it for one that a dead host left. */
export async function stillHas(parts: Parts, message: LaunchMessage, now: Instant, number?: number): Promise<boolean> {
  if (parts.limit === undefined) return true;
  const { taken } = await look(parts, parts.limit, now);
  return taken.some(({ value }) => value.number === number && isOf(value, message));
}

async function hasBegun({ store }: Parts, { job, run, attempt }: LaunchMessage): Promise<boolean> {
  const found = await store.runs.get(job, run);
  return found !== undefined && found.value.attempts.length >= attempt;
}

/**
 * Gives the place of an attempt back, and wakes those whose turn it is. Safe to do again.
 * @param number left out: every one that it or an earlier attempt of its run has
 */
export async function leave(
  parts: Parts,
  { job, run, attempt }: LaunchMessage,
  now: Instant,
  number?: number,
): Promise<void> {
  const { limit, store } = parts;
  if (limit === undefined) return;
  const view = await look(parts, limit, now);
  const isOurs = ({ value }: Versioned<Place>) =>
    value.job === job && value.run === run && value.attempt <= attempt && (number ?? value.number) === value.number;
  for (const place of view.taken.filter(isOurs)) await store.places.free(place);
  // Nearly empty, none can have come into the line since.
  if (view.line.length === 0 && view.taken.length * 2 < limit) return forget(parts);
  await wakeLine(parts, now);
}

/**
 * Frees places whose hosts died in them: of runs that are over, and of those that have not begun and wait elsewhere since.
 * @param entryOf what the watch knows of a run: undefined when it is not under way at all
 */
export async function freeLeftPlaces(
  parts: Parts,
  entryOf: (job: string, run: string) => ActiveRun | undefined,
  now: Instant,
): Promise<void> {
  const { limit, store } = parts;
  if (limit === undefined) return;
  const { taken } = await look(parts, limit, now);
  let freed = false;
  for (const place of taken.filter((one) => now > settledAt(parts, one))) {
    const { job, run, attempt } = place.value;
    const entry = entryOf(job, run);
    if (entry && entry.waits === undefined) continue;
    try {
      const found = (await store.runs.get(job, run))?.value;
      // It may have begun since the entries were read.
      const isLeft = entry ? found !== undefined && found.attempts.length < attempt : !found || isFinal(found.state);
      if (!isLeft) continue;
      await store.places.free(place);
      freed = true;
    } catch (error) {
      parts.emit({ type: 'trouble', doing: `looking at ${job}.${run}, which has a place`, error });
    }
  }
  if (freed) forget(parts);
}

function isEarlier(one: LaunchMessage, { job, run, attempt }: LaunchMessage): boolean {
  return one.job === job && one.run === run && one.attempt < attempt;
}

/** Whether there is a place for this one, and one for each that comes before it. */
function hasRoom({ taken, line }: PlacesView, me: InLine, limit: number): boolean {
  const before = line.filter((one) => !isOf(one, me) && one.order < me.order && !hasPlace(taken, one));
  return taken.length + before.length + spareFor(me, limit) < limit;
}

/** At random, so that hosts that take places at once seldom meet. */
function freeNumber({ taken }: PlacesView, limit: number): number {
  const numbers = new Set(taken.map(({ value }) => value.number));
  const free = Array.from({ length: limit }, (_, number) => number).filter((number) => !numbers.has(number));
  // None, when the limit was higher before: the store refuses, and the next view decides.
  return free[Math.floor(Math.random() * free.length)] ?? 0;
}
