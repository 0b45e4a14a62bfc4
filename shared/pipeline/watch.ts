import { seeUnderWay } from '../alerts/see.ts';
import { eachOf } from '../batches.ts';
import { day, hour, type Instant, minute } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import { outside } from '../run/outside.ts';
import { currentAttempt, isFinal, type Run } from '../run/run.ts';
import type { ActiveRun } from '../store/active.ts';
import type { Versioned } from '../store/table.ts';
import { leave } from './capacity.ts';
import { followUp } from './follow-up.ts';
import { giveUp, tooLate } from './give-up.ts';
import { inspect } from './inspect.ts';
import { nextDeadline, noticeDeadline } from './notice.ts';
import { awaitPing, lookOutside } from './outside.ts';
import { lookAtQueued, type Round, requeue, roundOf, wakeForgotten } from './queued.ts';
import { isRemoved, removedChange } from './removed.ts';
import { early } from './waiting.ts';

/** This many runs are looked at at once: a platform that is slow to answer must not keep the next tick waiting. */
const together = 16;

/**
 * Looks again at every active run whose time has come. Whatever has died or got lost anywhere, this alone repairs it;
 * when all goes well it has nothing to do.
 */
export async function watch(parts: Parts, now: Instant): Promise<void> {
  const entries: Versioned<ActiveRun>[] = [];
  const unreadable = (key: string, error: unknown) => parts.emit({ type: 'trouble', doing: `watching ${key}`, error });
  for await (const entry of parts.store.active.all(unreadable)) entries.push(entry);
  const round = roundOf(parts, now);
  // Timers are a few ms early or late: by those nothing waits for another minute.
  const removed = await removedAmong(parts, entries, round, now);
  const due = entries.filter(({ value }) => value.checkAfter <= now + early || removed.has(value.job));
  await eachOf(due, together, (entry) => lookSafely(parts, entry, round, now));
  await wakeForgotten(parts, entries, round, now);
}

/** Jobs that are gone from this package: what waits of them is looked at now, whenever it would have been. */
async function removedAmong(
  { catalog, emit }: Parts,
  entries: readonly Versioned<ActiveRun>[],
  round: Round,
  now: Instant,
): Promise<Set<string>> {
  const unknown = new Set(entries.map(({ value }) => value.job).filter((job) => !catalog().has(job)));
  const removed = new Set<string>();
  for (const name of unknown) {
    try {
      const row = await round.job(name);
      if (!row || isRemoved(catalog(), row.value, now)) removed.add(name);
    } catch (error) {
      emit({ type: 'trouble', doing: `watching ${name}`, error });
    }
  }
  return removed;
}

/** One run that cannot be looked at must not hide the others. */
async function lookSafely(parts: Parts, entry: Versioned<ActiveRun>, round: Round, now: Instant): Promise<void> {
  try {
    await look(parts, entry, round, now);
  } catch (error) {
    parts.emit({ type: 'trouble', doing: `watching ${entry.value.job}.${entry.value.run}`, error });
  }
}

async function look(parts: Parts, entry: Versioned<ActiveRun>, round: Round, now: Instant): Promise<unknown> {
  const { store } = parts;
  const found = await store.runs.get(entry.value.job, entry.value.run);
  if (!found) {
    // A claim that died before it was made. Kept for a day: its host may only be paused, and make it yet.
    if (now < entry.value.since + day) return store.active.lookAgain(entry, now + hour, { waits: 'claim' });
    return store.active.remove(entry.value.job, entry.value.run);
  }
  if (isFinal(found.value.state)) return followUp(parts, found.value, now, { entry: entry.value });
  const waits = found.value.state === 'queued' || found.value.state === 'retrying';
  const deployed = waits ? parts.catalog().get(found.value.job) : undefined;
  if (deployed?.job.external) return lookAtAwaited(parts, entry, deployed.job, found, round, now);
  const over = waits ? (tooLate(found.value, now) ?? (await removedOf(parts, found.value, round, now))) : undefined;
  if (over) return giveUp(parts, found, over, now);
  const noticed = await noticeDeadline(parts, found, now);
  // Another host has just changed it: the next round looks.
  if (!noticed) return undefined;
  const { state } = noticed.value;
  if (state === 'queued' || state === 'retrying') await seeUnderWay(parts, noticed.value, null, now);
  if (state === 'queued') return lookAtQueued(parts, entry, noticed, round, now);
  if (state === 'retrying') return lookAtRetrying(parts, entry, noticed.value, round, now);
  const attempt = currentAttempt(noticed.value);
  if (attempt?.executor === outside) {
    const again = await lookOutside(parts, noticed, attempt, now);
    const next = Math.min(again ?? now, nextDeadline(noticed.value, now) ?? Number.POSITIVE_INFINITY);
    return again === undefined ? undefined : store.active.lookAgain(entry, next);
  }
  const seen = await inspect(parts, noticed, now, entry.value.suspect);
  if (seen.is === 'moved') return undefined;
  const deadline = nextDeadline(noticed.value, now) ?? Number.POSITIVE_INFINITY;
  const more = seen.suspect === undefined ? {} : { suspect: seen.suspect };
  return store.active.lookAgain(entry, Math.min(seen.again, deadline), more);
}

/** A slot of an external job: its first ping moves it, from wherever that comes. */
async function lookAtAwaited(
  parts: Parts,
  entry: Versioned<ActiveRun>,
  job: Job,
  found: Versioned<Run>,
  round: Round,
  now: Instant,
): Promise<unknown> {
  const noticed = await noticeDeadline(parts, found, now);
  if (!noticed) return undefined;
  const again = await awaitPing(parts, job, (await round.job(job.name))?.value, noticed, now);
  if (again === undefined) return undefined;
  await seeUnderWay(parts, noticed.value, null, now);
  const deadline = nextDeadline(noticed.value, now) ?? Number.POSITIVE_INFINITY;
  return parts.store.active.lookAgain(entry, Math.min(again, deadline));
}

async function removedOf({ catalog }: Parts, { job }: Run, round: Round, now: Instant) {
  if (catalog().has(job)) return undefined;
  const row = await round.job(job);
  return !row || isRemoved(catalog(), row.value, now) ? removedChange(job) : undefined;
}

async function lookAtRetrying(parts: Parts, entry: Versioned<ActiveRun>, run: Run, round: Round, now: Instant) {
  const at = run.nextAttemptAt ?? now;
  const asked = at <= now ? await requeue(parts, entry.value, run, round, now) : {};
  // Should its host have died before that: the attempts that are over have no place any more.
  await leave(parts, { job: run.job, run: run.id, attempt: run.attempts.length }, now);
  const again = Math.max(at, now) + (at <= now ? 2 * minute : minute);
  const { waits = 'retry' } = entry.value;
  const look = waits === 'retry' ? again : now + hour;
  const next = Math.min(look, nextDeadline(run, now) ?? Number.POSITIVE_INFINITY);
  return parts.store.active.lookAgain(entry, next, { waits, ...asked });
}
