import { seeUnderWay } from '../alerts/see.ts';
import { troubleText } from '../events.ts';
import type { AttemptRef, Executor, Status } from '../executors/executor.ts';
import { hour, type Instant, iso, minute, second } from '../instant.ts';
import { onExecutor, type Parts } from '../parts.ts';
import { type Attempt, currentAttempt, type Run } from '../run/run.ts';
import type { AttemptId } from '../store/attempts.ts';
import type { Versioned } from '../store/table.ts';
import { end, endingOf } from './finish.ts';
import { lateAt, notice } from './notice.ts';
import { deliverMs, longestAttempt } from './spec.ts';

/** A shim that has sent no heartbeat for this long may be gone. One comes every 20 s. */
const silence = 90 * second;
/** After its time limit and grace a shim gets this long to say how it ended. */
const slack = minute;
/** Nearly every start is through by then: about those that are not the platform is asked, again after as long. */
const slowStart = 2 * minute;
/** A start call is over by then, however it ended: without a handle its host has died. */
const starterLease = 90 * second;
/** What runs for too long is given up by two looks this far apart, with storage there for its shim in between. */
const apart = minute;
/** For attempts of an earlier version, whose limit was not written down: the longest that a manifest may say, and more. */
const unknownLimit = 26 * hour;

/** What a look at an attempt under way has found. */
export type Seen =
  /** It has ended, or another host has changed it: what was read is out of date. */
  | { is: 'moved' }
  /** As it was. `sure`: it has begun, or its platform knows it. `suspect`: since when it takes too long. */
  | { is: 'under way'; again: Instant; sure: boolean; suspect?: Instant };

/**
 * Looks at an attempt that is under way, and ends it if it is over. The result decides; a fresh heartbeat means alive;
 * only when both are missing is the executor asked. @throws CannotAsk the platform, or what storage throws
 */
export async function inspect(
  parts: Parts,
  found: Versioned<Run>,
  now: Instant,
  suspect: Instant | undefined = undefined,
): Promise<Seen> {
  const run = found.value;
  const attempt = currentAttempt(run);
  if (!attempt) throw new Error(`${run.job}.${run.id} is ${run.state} without an attempt`);
  const { store, executor, catalog } = onExecutor(parts, attempt.executor);
  const id = { job: run.job, run: run.id, attempt: attempt.number };

  const ending = await endingOf(parts, id);
  if (ending) return ended(end(parts, found, attempt.number, ending, now));
  const begun = await store.attempts.begun(id);
  await seeUnderWay(parts, run, begun ?? null, now);
  if (begun === undefined) return inspectUnbegun(parts, found, attempt, now);

  const job = catalog().get(run.job)?.job;
  const due = begun + (attempt.limitMs ?? (job ? longestAttempt(job) : unknownLimit)) + slack;
  const noticed = now > due ? await notice(parts, found, 'overdue') : found;
  if (!noticed) return { is: 'moved' };
  // Its job is over, and storage was not there for what it leaves: a stop would cost that.
  const delivers = now > due && now < due + deliverMs && !run.cancel && (await store.attempts.delivering(id));
  if (delivers) return goesOn(now + minute);
  if (now > due || run.cancel) await askToStop(parts, { ...id, handle: attempt.handle }, executor);
  const heartbeat = (await store.attempts.lastHeartbeat(id)) ?? begun;
  const fresh = now < heartbeat + silence;
  // A heartbeat does not help a shim that neither ends in time nor when it is asked to.
  const given = due + slack;
  if (fresh && now < given) return goesOn(Math.min(heartbeat + silence, Math.max(due + 1, now + second)));
  const status = await ask(executor, { ...id, handle: attempt.handle });
  if (status === 'running' || (status === 'unknown' && fresh)) {
    if (now < given) return goesOn(Math.min(now + minute, Math.max(due + 1, now + second)));
    const since = suspect ?? now;
    if (now < since + apart) return { ...goesOn(since + apart), suspect: since };
  }
  // It may have written its result between our two looks.
  const late = await endingOf(parts, id);
  if (late) return ended(end(parts, noticed, attempt.number, late, now));
  if (status === 'out-of-memory') return ended(end(parts, noticed, attempt.number, { kind: status }, now));
  const message = `no result and no sign of life since ${iso(heartbeat)}`;
  const kind = now > due ? 'overdue' : 'lost';
  return ended(end(parts, noticed, attempt.number, { kind, message }, now));
}

/** The platform cannot be asked: nothing is known of the attempt. */
export class CannotAsk extends Error {}

async function ask(executor: Executor, attempt: AttemptRef): Promise<Status> {
  try {
    return await executor.status(attempt);
  } catch (error) {
    throw new CannotAsk(`${executor.name} cannot be asked: ${troubleText(error)}`, { cause: error });
  }
}

/** No shim has begun it: it gets its time, unless the run is cancelled or the platform knows that none will. */
async function inspectUnbegun(parts: Parts, found: Versioned<Run>, attempt: Attempt, now: Instant): Promise<Seen> {
  const { store, executor } = onExecutor(parts, attempt.executor);
  const run = found.value;
  const { number, handle, startedAt } = attempt;
  const id = { job: run.job, run: run.id, attempt: number };
  const until = startedAt + executor.startGraceMs;
  let why: string | undefined;
  if (now < until && !run.cancel) {
    const askAt = Math.min(startedAt + (handle === null ? starterLease : slowStart), until);
    if (now < askAt) return waitToBegin(parts, found, askAt, handle !== null, now);
    const status = await ask(executor, { ...id, handle });
    if (status === 'ended' || status === 'out-of-memory') why = 'the platform ended it before a shim began it';
    else if (status === 'unknown' && handle === null) {
      why = `the host that started it is gone, and ${executor.name} knows nothing of it`;
    } else return waitToBegin(parts, found, Math.min(now + slowStart, until), true, now);
  }
  if (!(await store.attempts.abandon(id, parts.person))) return goesOn(now + 5 * second);
  await end(parts, found, number, { kind: 'abandoned', why }, now);
  // None can begin it, but its container may still come, and take the place of the next. It leaves by itself then.
  if (!why) await askToStop(parts, { ...id, handle }, executor);
  return { is: 'moved' };
}

async function waitToBegin(
  parts: Parts,
  found: Versioned<Run>,
  again: Instant,
  sure: boolean,
  now: Instant,
): Promise<Seen> {
  const { startBy } = found.value;
  const late = Math.min(lateAt(found.value) ?? Number.POSITIVE_INFINITY, startBy ?? Number.POSITIVE_INFINITY) + 1;
  if (now < late) return { is: 'under way', again: Math.min(again, late), sure };
  const reason = sure ? 'the platform has accepted it, and no shim has begun it' : 'it is being started';
  return (await notice(parts, found, 'late', reason)) ? { is: 'under way', again, sure } : { is: 'moved' };
}

async function ended(ending: Promise<unknown>): Promise<Seen> {
  await ending;
  return { is: 'moved' };
}

function goesOn(again: Instant): Seen & { is: 'under way' } {
  return { is: 'under way', again, sure: true };
}

/** A platform that will not, or may not, keeps nothing from being decided; the next look asks again. */
async function askToStop({ emit }: Parts, attempt: AttemptRef & AttemptId, executor: Executor): Promise<void> {
  await executor.stop(attempt).catch((error) => {
    emit({ type: 'trouble', doing: `stopping ${attempt.job}.${attempt.run} attempt ${attempt.attempt}`, error });
  });
}
