import { type Instant, minute, second } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { isLowest } from '../run/place.ts';
import type { LaunchMessage } from '../store/launches.ts';
import type { InLine, Places, PlacesView } from '../store/places.ts';
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
  /** Whom this process has woken, and when: many ends in a moment need not wake the same one many times. */
  woken: Map<string, Instant>;
}
/** By then a woken one has its place, or stands in line again. */
const wakingFor = 2 * second;
const viewers = new WeakMap<Places, Viewer>();

/**
 * Takes a place for an attempt that may start now. True: it has one, also when it had one already. False: it stands in
 * line, and a message comes for it when it is its turn.
 */
export async function enter(parts: Parts, message: LaunchMessage, order: string, now: Instant): Promise<boolean> {
  const { limit } = parts;
  if (limit === undefined) return true;
  const { places } = parts.store;
  const me = inLine(message, order, now);
  const { last } = viewerOf(places);
  let queued = false;
  let view = last && Math.abs(now - last.at) < freshFor ? last.view : await look(parts, limit, now);
  for (;;) {
    if (view.taken.some(({ value }) => isOf(value, message))) break;
    if (view.taken.some(({ value }) => isEarlier(value, message))) {
      // That attempt is over, and its host died before it left: while this run is under way no one else would.
      const { taken } = await look(parts, limit, now);
      for (const place of taken) if (isEarlier(place.value, message)) await places.free(place);
      view = await look(parts, limit, now);
    }
    if (hasRoom(view, me, limit)) {
      const { job, run, attempt } = message;
      const place = { number: freeNumber(view, limit), job, run, attempt, since: now };
      if (await places.take(place)) {
        view.taken.push({ value: place, etag: '' });
        break;
      }
    } else if (queued) {
      viewerOf(places).woken.delete(nameOf(me));
      // A place is free, and those before us were not woken, or are gone.
      if (view.taken.length < limit) await wakeLine(parts, now, view);
      return false;
    } else {
      await places.queue(me);
      queued = true;
    }
    // After the write: who frees a place meanwhile sees us in line, or we see the place.
    view = await look(parts, limit, now);
  }
  if (queued || message.inLine) await places.leave(me);
  return true;
}

/** Gives the place of an attempt back, and wakes those whose turn it is. Safe to do again. */
export async function leave(parts: Parts, { job, run, attempt }: LaunchMessage, now: Instant): Promise<void> {
  const { limit, store } = parts;
  if (limit === undefined) return;
  const view = await look(parts, limit, now);
  const ours = view.taken.filter(({ value }) => value.job === job && value.run === run && value.attempt <= attempt);
  for (const place of ours) await store.places.free(place);
  // Nearly empty, none can have come into the line since.
  if (view.line.length === 0 && view.taken.length * 2 < limit) return forget(parts);
  await wakeLine(parts, now);
}

/**
 * Takes an attempt that was woken and cannot start after all out of the line, so that whatever it waits for now sees it;
 * the next may have its turn.
 */
export async function leaveLine(parts: Parts, message: LaunchMessage, order: string, now: Instant): Promise<void> {
  const { limit, store } = parts;
  if (limit === undefined || !message.inLine) return;
  await store.active.unpark(message.job, message.run, now + repairAfter);
  await store.places.leave(inLine(message, order, now));
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
  for (const [key, at] of woken) if (Math.abs(now - at) >= wakingFor) woken.delete(key);
  let free = limit - taken.length;
  for (const one of line) {
    if (free <= spareFor(one, limit)) return;
    if (woken.has(nameOf(one))) {
      free -= 1;
      continue;
    }
    const run = (await store.runs.get(one.job, one.run))?.value;
    const waits = run?.state === 'queued' || run?.state === 'retrying';
    if (waits && run.attempts.length === one.attempt - 1) {
      const { job, run: id, attempt } = one;
      woken.set(nameOf(one), now);
      await store.launches.put({ job, run: id, attempt, inLine: true }, now, now);
      free -= 1;
    } else {
      await store.places.leave(one);
    }
  }
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
  const left = taken.filter(({ value }) => now - value.since > settledAfter && !isActive(value.job, value.run));
  for (const place of left) await store.places.free(place);
  if (left.length > 0) forget(parts);
}

/** An attempt as it stands in line. */
export function inLine({ job, run, attempt }: LaunchMessage, order: string, now: Instant): InLine {
  return { order, job, run, attempt, since: now };
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

/** Whether there is a place for this one, and one for each that comes before it. */
function hasRoom({ taken, line }: PlacesView, me: InLine, limit: number): boolean {
  const before = line.filter((one) => !isOf(one, me) && one.order < me.order);
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
