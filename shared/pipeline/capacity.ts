import { type Instant, minute, second } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { isLowest } from '../run/place.ts';
import type { LaunchMessage } from '../store/launches.ts';
import type { InLine, Place, Places, PlacesView } from '../store/places.ts';
import type { Versioned } from '../store/table.ts';
import { repairAfter } from './waiting.ts';

/**
 * The limit on attempts that run at once, of all hosts together: each attempt takes one of `limit` rows, whose keys
 * cannot be taken twice. Without a free one it stands in line, and costs nothing until an attempt that ends wakes it.
 */

/** Without contention a view is good for this long: a taken number is refused by the store in any case. */
const freshFor = second;
/** A place whose run is over belongs to a host that died; one that was taken just now may be of a run not yet seen. */
const settledAfter = 2 * minute;

/** Views of one process: those who ask at once share a request, and those who must see a write get one that began later. */
interface Viewer {
  last?: { view: PlacesView; at: Instant };
  current?: Promise<PlacesView>;
  next?: Promise<PlacesView>;
  /**
   * Whom this process has woken, and when: many ends in a moment need not wake the same one many times. `again`: a
   * second message comes for it when that moment is over.
   */
  woken: Map<string, { at: Instant; again: boolean }>;
}
/** By then a woken one has its place, or stands in line again. */
const wakingFor = 2 * second;
const viewers = new WeakMap<Places, Viewer>();

/**
 * What comes of asking for a place. `start`: it has one, of this number; none where there is no limit. `wait`: it stands
 * in line, and a message comes for it when it is its turn. `later`: another launch of the same attempt has one, and
 * starts it there, unless its host has died by then.
 */
export type Entry = { do: 'start'; number?: number } | { do: 'wait' } | { do: 'later'; at: Instant };

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
    if (ours && now < settledAt(ours)) return { do: 'later', at: settledAt(ours) };
    if (ours || view.taken.some(({ value }) => isEarlier(value, message))) {
      // Of a host that died before it started or left: while this run is under way no one else would free it.
      const isLeft = (place: Versioned<Place>) =>
        isEarlier(place.value, message) || (isOf(place.value, message) && now >= settledAt(place));
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
 * Takes an attempt that was woken and cannot start after all out of the line, so that whatever it waits for now sees it;
 * the next may have its turn.
 * @param order undefined: not known here
 */
export async function leaveLine(
  parts: Parts,
  message: LaunchMessage,
  order: string | undefined,
  now: Instant,
): Promise<void> {
  const { limit, store } = parts;
  if (limit === undefined || !message.inLine) return;
  const standing =
    order === undefined
      ? (await store.places.view(Number.POSITIVE_INFINITY)).line.filter((one) => isOf(one, message))
      : [inLine(message, order, now)];
  // In this order: another launch of it that parks it meanwhile, and then has it stand in line, has either both or none.
  for (const one of standing) await store.places.leave(one);
  await store.active.unpark(message.job, message.run, now + repairAfter);
  await wakeLine(parts, now);
}

/**
 * Queues those in line for whom there are places, first come by their order. They stay in line until they have one, so
 * that no later one overtakes them.
 */
export async function wakeLine(parts: Parts, now: Instant, known?: PlacesView): Promise<void> {
  const { limit, store } = parts;
  if (limit === undefined) return;
  const { taken, line } = known ?? (await look(parts, limit, now));
  const { woken } = viewerOf(store.places);
  for (const [key, { at }] of woken) if (Math.abs(now - at) >= wakingFor) woken.delete(key);
  let free = limit - taken.length;
  for (const one of line) {
    if (free <= spareFor(one, limit)) return;
    // About to leave the line, or left there by a host that died: once the run is over it is removed below.
    if (hasPlace(taken, one)) continue;
    const known = woken.get(nameOf(one));
    if (known) {
      free -= 1;
      // It may have found no place by now, and stand there without anyone to wake it.
      if (!known.again) await store.launches.put({ ...messageOf(one), inLine: true }, now + wakingFor, now);
      known.again = true;
      continue;
    }
    const run = (await store.runs.get(one.job, one.run))?.value;
    const waits = run?.state === 'queued' || run?.state === 'retrying';
    if (waits && run.attempts.length === one.attempt - 1) {
      woken.set(nameOf(one), { at: now, again: false });
      await store.launches.put({ ...messageOf(one), inLine: true }, now, now);
      free -= 1;
    } else {
      await store.places.leave(one);
    }
  }
}

/** Whether attempts stood in line when this process last looked. */
export function othersWait({ store }: Parts): boolean {
  return (viewerOf(store.places).last?.view.line.length ?? 0) > 0;
}

/** Frees the places of runs that are over: their hosts died between. @param isActive whether a run is under way at all */
export async function freeLeftPlaces(
  parts: Parts,
  isActive: (job: string, run: string) => boolean,
  now: Instant,
): Promise<void> {
  const { limit, store } = parts;
  if (limit === undefined) return;
  const { taken } = await look(parts, limit, now);
  const left = taken.filter((place) => now > settledAt(place) && !isActive(place.value.job, place.value.run));
  for (const place of left) await store.places.free(place);
  if (left.length > 0) forget(parts);
}

/** An attempt as it stands in line. */
export function inLine({ job, run, attempt }: LaunchMessage, order: string, now: Instant): InLine {
  return { order, job, run, attempt, since: now };
}

/** From then on a place whose attempt has not started is of a host that died. */
function settledAt({ value }: Versioned<Place>): Instant {
  return value.since + settledAfter;
}

/** The message for an attempt that stands in no line. */
export function messageOf({ job, run, attempt }: LaunchMessage | InLine): LaunchMessage {
  return { job, run, attempt };
}

function nameOf({ job, run, attempt }: LaunchMessage): string {
  return `${job}|${run}|${attempt}`;
}

function isOf(one: LaunchMessage, { job, run, attempt }: LaunchMessage): boolean {
  return one.job === job && one.run === run && one.attempt === attempt;
}

function isEarlier(one: LaunchMessage, { job, run, attempt }: LaunchMessage): boolean {
  return one.job === job && one.run === run && one.attempt < attempt;
}

function hasPlace(taken: PlacesView['taken'], one: LaunchMessage): boolean {
  return taken.some(({ value }) => isOf(value, one));
}

/** Whether there is a place for this one, and one for each that comes before it. */
function hasRoom({ taken, line }: PlacesView, me: InLine, limit: number): boolean {
  const before = line.filter((one) => !isOf(one, me) && one.order < me.order && !hasPlace(taken, one));
  return taken.length + before.length + spareFor(me, limit) < limit;
}

/** A replay leaves one place free for what is expected; where there is only one, it takes turns. */
function spareFor({ order }: InLine, limit: number): number {
  return isLowest(order) && limit > 1 ? 1 : 0;
}

/** At random, so that hosts that take places at once seldom meet. */
function freeNumber({ taken }: PlacesView, limit: number): number {
  const numbers = new Set(taken.map(({ value }) => value.number));
  const free = Array.from({ length: limit }, (_, number) => number).filter((number) => !numbers.has(number));
  // None, when the limit was higher before: the store refuses, and the next view decides.
  return free[Math.floor(Math.random() * free.length)] ?? 0;
}

function viewerOf(places: Places): Viewer {
  const known = viewers.get(places) ?? { woken: new Map() };
  viewers.set(places, known);
  return known;
}

function forget({ store }: Parts): void {
  delete viewerOf(store.places).last;
}

/** A view whose request begins after this call; many who call at once share one. */
function look(parts: Parts, limit: number, now: Instant): Promise<PlacesView> {
  const viewer = viewerOf(parts.store.places);
  const begin = async () => {
    const view = await parts.store.places.view(limit);
    viewer.last = { view, at: now };
    return view;
  };
  if (viewer.current === undefined) {
    viewer.current = begin().finally(() => {
      delete viewer.current;
    });
    return viewer.current;
  }
  viewer.next ??= viewer.current
    .catch(() => {})
    .then(() => {
      delete viewer.next;
      return look(parts, limit, now);
    });
  return viewer.next;
}
