import { day, hour, type Instant, minute } from '../instant.ts';
import type { ReplayReason, ReplayState } from './replay.ts';

/** When the next replay is due, and whether it may be afforded. */

/** So much a day costs nothing worth counting. */
const free = minute;
/** Rarer than this it is no watch. */
const rarest = 90;
/** The daily timer is early or late by some minutes. */
const jitter = 2 * hour;
/** More changes a day are not each worth a replay: the last one is seen by the daily one. */
const mostADay = 8;

/**
 * Days between two replays that nothing else calls for, so that they take at most `share` of the job's own container
 * time, or a minute a day: 1, 7, or as many as it takes. Null: none.
 * @param roundMs one replay of each example, ms; null: not known yet
 * @param ownMs container time of the job in one day, ms
 */
export function everyDays(roundMs: number | null, ownMs: number, share: number): number | null {
  if (share <= 0) return null;
  const days = (roundMs ?? 0) / Math.max(ownMs * share, free);
  if (days <= 1) return 1;
  return days <= 7 ? 7 : Math.min(Math.ceil(days), rarest);
}

/** Whether the daily timer starts one. */
export function isDue({ starts, everyDays: days }: ReplayState, now: Instant): boolean {
  const last = starts.at(-1);
  if (days === null) return false;
  return last === undefined || now - last >= days * day - jitter;
}

/** Whether one more may start today. Noise and confirmation belong to one that was let through; a person may always ask. */
export function mayStart({ starts }: ReplayState, reason: ReplayReason, now: Instant): boolean {
  if (reason === 'confirm' || reason === 'pin' || reason === 'asked') return true;
  return starts.filter((at) => now - at < day).length < mostADay;
}
