import { type Instant, minute } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { LaunchMessage } from '../store/launches.ts';
import type { Place, Places, PlacesView } from '../store/places.ts';
import type { Versioned } from '../store/table.ts';

/** What one process knows of the places and the line: those who ask at once share a request. */

/** A place whose run is over belongs to a host that died; one that was taken just now may be of a run not yet seen. */
const settledAfter = 2 * minute;
/** Clocks of hosts may differ by this much: who has not seen a place itself does not trust the time that it says. */
const clocksDiffer = 3 * minute;

/** Views of one process: those who ask at once share a request, and those who must see a write get one that began later. */
interface Viewer {
  last?: { view: PlacesView; at: Instant };
  current?: Promise<PlacesView>;
  next?: Promise<PlacesView>;
  /** Since when this process has seen each of the places that are taken, by its own clock. */
  seen: Map<string, Instant>;
  /**
   * Whom this process has woken, and when: many ends in a moment need not wake the same one many times. `again`: a
   * second message comes for it when that moment is over.
   */
  woken: Map<string, { at: Instant; attempt: number; again: boolean }>;
}
const viewers = new WeakMap<Places, Viewer>();

export function viewerOf(places: Places): Viewer {
  const known = viewers.get(places) ?? { seen: new Map(), woken: new Map() };
  viewers.set(places, known);
  return known;
}

export function forget({ store }: Parts): void {
  delete viewerOf(store.places).last;
}

/** A view whose request begins after this call; many who call at once share one. */
export function look(parts: Parts, limit: number, now: Instant): Promise<PlacesView> {
  const viewer = viewerOf(parts.store.places);
  // A clock that was ahead when it was seen says nothing.
  const since = (seen: Instant | undefined) => (seen !== undefined && seen <= now ? seen : now);
  const begin = async () => {
    const view = await parts.store.places.view(limit);
    viewer.last = { view, at: now };
    viewer.seen = new Map(view.taken.map(({ value }) => [placeName(value), since(viewer.seen.get(placeName(value)))]));
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

/** Whether attempts stood in line when this process last looked. */
export function othersWait({ store }: Parts): boolean {
  return (viewerOf(store.places).last?.view.line.length ?? 0) > 0;
}

/** From then on a place whose attempt has not started is of a host that died. */
export function settledAt({ store }: Parts, { value }: Versioned<Place>): Instant {
  const seen = viewerOf(store.places).seen.get(placeName(value)) ?? value.since;
  return Math.min(seen, value.since + clocksDiffer) + settledAfter;
}

function placeName({ number, since, ...one }: Place): string {
  return `${number}|${since}|${nameOf(one)}|${one.attempt}`;
}

export function nameOf({ job, run }: LaunchMessage): string {
  return `${job}|${run}`;
}

export function isOf(one: LaunchMessage, { job, run, attempt }: LaunchMessage): boolean {
  return one.job === job && one.run === run && one.attempt === attempt;
}
