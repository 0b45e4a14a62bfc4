import { hour, type Instant, iso, minute, second } from '../instant.ts';
import { attemptsBegun, currentAttempt, type Run } from './run.ts';

/** An attempt that a platform accepted may stay unbegun this often before the run is given up. */
const mostUnbegun = 5;
/** A platform that is unavailable or full is waited for this long where no `startBy` says how long the slot is worth it. */
const patience = 6 * hour;
/** The wait after the first refusal; it doubles, up to `longestWait`, and after hours grows with what has passed. */
const firstWait = 10 * second;
const longestWait = 5 * minute;
const shareOfPast = 1 / 16;

/** What follows for a run whose last attempt no shim has begun. */
export type AfterUnbegun =
  | { do: 'try again'; at: Instant; reason: string | null }
  | { do: 'miss'; reason: string }
  | { do: 'give up'; state: 'failed' | 'lost'; error: string };

/**
 * Nothing of the job has run, so none of its own attempts is used up. A platform that refuses is asked again until the
 * run is not worth it any more; one that accepts and begins nothing, `mostUnbegun` times. Pure.
 * @param random in [0, 1)
 * @param retryAfterMs how long the platform asks to be left alone
 */
export function afterUnbegun(run: Run, now: Instant, random: number, retryAfterMs = 0): AfterUnbegun {
  const last = currentAttempt(run);
  const streak = run.attempts.slice(run.attempts.findLastIndex(({ state }) => state !== 'abandoned') + 1);
  const error = last?.error ?? 'no shim began it';
  const refused = (last?.errorClass ?? null) !== null;
  const accepted = run.attempts.filter(({ state, handle }) => state === 'abandoned' && handle !== null).length;
  if (last && last.handle !== null && accepted >= mostUnbegun) {
    const hint = `does the ${last.executor} executor start, and can it pull the image?`;
    const what = `given up ${accepted} times before anything began: ${error}; ${hint}`;
    return { do: 'give up', state: 'lost', error: what };
  }
  const since = streak[0]?.startedAt ?? now;
  const { startBy } = run;
  const until = startBy !== null && attemptsBegun(run) === 0 ? startBy : since + patience;
  if (now >= until) {
    if (until === startBy) return { do: 'miss', reason: `could not start by ${iso(until)}: ${error}` };
    const what = `given up after ${Math.round((now - since) / hour)} h of waiting for the platform: ${error}`;
    return { do: 'give up', state: refused ? 'failed' : 'lost', error: what };
  }
  // What no shim began has waited long enough already.
  if (!refused) return { do: 'try again', at: now, reason: null };
  const refusals = streak.filter(({ errorClass }) => errorClass !== null).length;
  const growing = Math.max(Math.min(firstWait * 2 ** (refusals - 1), longestWait), (now - since) * shareOfPast);
  const wait = Math.max(Math.round(growing * (0.75 + random / 2)), retryAfterMs);
  const reason = `waits for the platform since ${iso(since)}, at most until ${iso(until)}: ${error}`;
  // Once more when it is nearly too late: a last try is worth more than none.
  return { do: 'try again', at: Math.min(now + wait, until), reason };
}
