import { type Instant, second } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { isLowest } from '../run/place.ts';
import type { LaunchMessage } from '../store/launches.ts';
import type { InLine, PlacesView } from '../store/places.ts';
import { isOf, look, nameOf, viewerOf } from './places-seen.ts';
import { repairAfter } from './waiting.ts';

/** Those that wait for a place: in order, and at no cost until an attempt that ends wakes them. */

/** By then a woken one has its place, or stands in line again. */
const wakingFor = 2 * second;
/** Rows of a line that are read at once, at most: a page of Table Storage. */
const mostInView = 1_000;

/**
 * Queues those in line for whom there are places, first come by their order. They stay in line until they have one, so
 * that no later one overtakes them.
 */
export async function wakeLine(parts: Parts, now: Instant, known?: PlacesView): Promise<void> {
  const { limit, store } = parts;
  if (limit === undefined) return;
  const { woken } = viewerOf(store.places);
  for (const [key, { at }] of woken) if (Math.abs(now - at) >= wakingFor) woken.delete(key);
  // Where all that were seen had left the service, the next ones are looked at, and more of them.
  for (let most = limit, view = known; ; most = Math.min(most * 4, mostInView), view = undefined) {
    view ??= most === limit ? await look(parts, limit, now) : await store.places.view(most);
    if (!(await wakeFirst(parts, view, limit, now)) || view.line.length < most) return;
  }
}

/** @returns whether some were removed that wait no more */
async function wakeFirst(parts: Parts, { taken, line }: PlacesView, limit: number, now: Instant): Promise<boolean> {
  const { store } = parts;
  const { woken } = viewerOf(store.places);
  let free = limit - taken.length;
  let removed = false;
  for (const one of line) {
    if (free <= spareFor(one, limit)) return false;
    // About to leave the line, or left there by a host that died: once the run is over it is removed below.
    if (hasPlace(taken, one)) continue;
    const known = woken.get(nameOf(one));
    const attempt = known?.attempt ?? (await nextOf(parts, one, now));
    if (attempt === undefined) {
      await store.places.leave(one);
      removed = true;
      continue;
    }
    free -= 1;
    const message = { ...messageOf(one), attempt, inLine: true };
    woken.set(nameOf(one), { at: known?.at ?? now, attempt, again: known !== undefined });
    // One that was woken may have found no place by now, and stand there without anyone to wake it.
    if (!known?.again) await store.launches.put(message, known ? now + wakingFor : now, now);
  }
  return removed;
}

/**
 * The attempt that stands in line: a later one than the row says, where a row of an earlier was left. Undefined: none, or
 * one that cannot be looked at, which must not keep those behind it; the watch puts it back.
 */
async function nextOf(
  { store, emit }: Parts,
  { job, run, attempt }: InLine,
  now: Instant,
): Promise<number | undefined> {
  try {
    const found = (await store.runs.get(job, run))?.value;
    if (found?.state !== 'queued' && found?.state !== 'retrying') return undefined;
    const next = found.attempts.length + 1;
    return next === attempt || (next > attempt && (found.nextAttemptAt ?? 0) <= now) ? next : undefined;
  } catch (error) {
    const doing = `waking ${job}.${run}, which stands in line`;
    emit({ type: 'trouble', doing, error });
    await store.active.unpark(job, run, now + repairAfter).catch((error) => emit({ type: 'trouble', doing, error }));
    return undefined;
  }
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

/** An attempt as it stands in line. */
export function inLine({ job, run, attempt }: LaunchMessage, order: string, now: Instant): InLine {
  return { order, job, run, attempt, since: now };
}

/** The message for an attempt that stands in no line. */
export function messageOf({ job, run, attempt }: LaunchMessage | InLine): LaunchMessage {
  return { job, run, attempt };
}

export function hasPlace(taken: PlacesView['taken'], one: LaunchMessage): boolean {
  return taken.some(({ value }) => isOf(value, one));
}

/** A replay leaves one place free for what is expected; where there is only one, it takes turns. */
export function spareFor({ order }: InLine, limit: number): number {
  return isLowest(order) && limit > 1 ? 1 : 0;
}
