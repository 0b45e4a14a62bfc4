import { eachOf } from '../batches.ts';
import { type Instant, second } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { JobRow } from '../run/job-row.ts';
import { attemptsBegun, isFinal, type Run } from '../run/run.ts';
import type { Place, Places } from '../store/places.ts';
import type { Versioned } from '../store/table.ts';
import { leave } from './capacity.ts';
import { end, endingOf } from './finish.ts';
import { giveUp, tooLate } from './give-up.ts';
import { CannotAsk, inspect } from './inspect.ts';
import { release } from './release.ts';

/** A platform that cannot be asked now is asked again after this time. */
const askAgain = 30 * second;

/** An attempt that took its place just now is not over yet. */
const justBegun = 5 * second;
/** The places are looked at by one process at most this often, and more seldom where they are many: a look costs reads. */
const betweenLooks = (limit: number) => Math.max(5 * second, limit * (second / 2));
const together = 16;

/** What a look at the runs that hold a job has found. */
export interface Holders {
  /** One of them does not hold it any more, or may not: decide again. */
  freed: boolean;
  /** Until then it is not known whether one of them exists: its host may have died while it started it. */
  unsureUntil: Instant | undefined;
  /** None of them has begun, and none is being started: they wait for the platform. */
  waitingOnly: boolean;
}

type Look = 'freed' | 'holds' | 'waits' | Instant;

/**
 * Looks at the runs that hold a job before another is skipped, waits or replaces because of them: a nudge may be lost, a
 * host dead. Those that are over are ended, and let go.
 */
export async function freeJob(parts: Parts, { name, running }: JobRow, now: Instant): Promise<Holders> {
  const looks = await Promise.all(running.map(({ run }) => lookAtHolder(parts, name, run, now)));
  const unsure = looks.filter((look) => typeof look === 'number');
  return {
    freed: looks.includes('freed'),
    unsureUntil: unsure.length > 0 ? Math.min(...unsure) : undefined,
    waitingOnly: looks.length > 0 && looks.every((look) => look === 'waits'),
  };
}

async function lookAtHolder(parts: Parts, job: string, id: string, now: Instant): Promise<Look> {
  const holder = await parts.store.runs.get(job, id);
  if (!holder) return 'holds';
  const run = holder.value;
  if (isFinal(run.state)) {
    // The rest of what follows from its end is done by the watch, or is being done.
    await release(parts, [run], now);
    return 'freed';
  }
  const late = tooLate(run, now);
  if (late && (run.state === 'queued' || run.state === 'retrying')) {
    await giveUp(parts, holder, late, now);
    return 'freed';
  }
  if (run.state === 'retrying' && attemptsBegun(run) === 0) return 'waits';
  if (run.state !== 'starting' && run.state !== 'running') return 'holds';
  return lookAtAttempt(parts, holder, now);
}

async function lookAtAttempt(parts: Parts, holder: Versioned<Run>, now: Instant): Promise<Look> {
  const { job, id, state } = holder.value;
  try {
    const seen = await inspect(parts, holder, now);
    if (seen.is === 'under way') return seen.sure ? 'holds' : seen.again;
    // Its next attempt, if it has one, holds the job as before.
    const after = (await parts.store.runs.get(job, id))?.value;
    return after && after.state !== state && isFinal(after.state) ? 'freed' : 'holds';
  } catch (error) {
    // Storage that is unavailable keeps this launch from deciding: it comes again.
    if (!(error instanceof CannotAsk)) throw error;
    parts.emit({ type: 'trouble', doing: `looking at ${job}.${id}, which holds its job`, error: error.cause });
    return now + askAgain;
  }
}

interface Looked {
  at: Instant;
  /** Something asked for a look since, or took a place just before or in its wake: if its end is lost, no one else looks. */
  again: boolean;
}
/** When this process last looked at the places. */
const looked = new WeakMap<Places, Looked>();

/**
 * Looks whether the attempts that have places have left a result, as others wait for them: a nudge may be lost, a host
 * dead. One that is over is ended, and wakes who stands in line. Those that left nothing are the watch's, which asks the
 * platform at its own pace. Trouble is reported, and keeps nothing from being done.
 */
export async function freePlaces(parts: Parts, now: Instant): Promise<void> {
  const { limit, store } = parts;
  if (limit === undefined) return;
  const last = looked.get(store.places);
  if (last !== undefined && Math.abs(now - last.at) < betweenLooks(limit)) {
    last.again = true;
    return;
  }
  const look: Looked = { at: now, again: false };
  looked.set(store.places, look);
  const reported = (doing: string) => (error: unknown) => {
    parts.emit({ type: 'trouble', doing, error });
    return undefined;
  };
  const view = await store.places.view(1).catch(reported('looking at the places of attempts'));
  if (!view || view.line.length === 0) return;
  const settled = view.taken.map(({ value }) => value).filter(({ since }) => since <= now - justBegun);
  if (settled.length < view.taken.length) look.again = true;
  await eachOf(settled, together, async (place) => {
    const doing = `looking at ${place.job}.${place.run}, which has a place`;
    if (await lookAtPlace(parts, place, now).catch(reported(doing))) look.again = true;
  });
}

/** The look that came too soon after another. Costs nothing when there was none, so none while all is at rest. */
export async function freePlacesAgain(parts: Parts, now: Instant): Promise<void> {
  if (looked.get(parts.store.places)?.again) await freePlaces(parts, now);
}

/** @returns whether its place is free now */
async function lookAtPlace(parts: Parts, { job, run, attempt }: Place, now: Instant): Promise<boolean> {
  // An older package must not decide what follows from the end of a job that it does not know.
  if (!parts.catalog().has(job)) return false;
  const holder = await parts.store.runs.get(job, run);
  const begun = holder?.value.attempts.length ?? 0;
  // Not begun: its host is about to begin it, or the watch finds that it died.
  if (!holder || begun < attempt) return false;
  const { state } = holder.value;
  const id = { job, run, attempt };
  if (begun > attempt || (state !== 'starting' && state !== 'running')) {
    await leave(parts, id, now);
    return true;
  }
  const ending = await endingOf(parts, id);
  if (ending) await end(parts, holder, attempt, ending, now);
  return ending !== undefined;
}
