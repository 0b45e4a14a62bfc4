import { type Instant, minute, second } from '../instant.ts';
import type { Deployed } from '../job/catalog.ts';
import { onExecutor, type Parts } from '../parts.ts';
import type { JobRow } from '../run/job-row.ts';
import { admit, afterPlatform, keepsOrder, type Overlap } from '../run/overlap.ts';
import { placeOrder } from '../run/place.ts';
import { isReplay, type Run } from '../run/run.ts';
import type { LaunchMessage } from '../store/launches.ts';
import type { Versioned } from '../store/table.ts';
import { cancel } from './cancel.ts';
import { enter, leave, leaveUnbegun, stillHas } from './capacity.ts';
import { isRegistered } from './deployments.ts';
import { giveUp, tooLate } from './give-up.ts';
import { freeJob, freePlaces } from './holders.ts';
import { inLine, leaveLine, messageOf } from './line.ts';
import { awaitPing } from './outside.ts';
import { park, parkForPlace } from './park.ts';
import { passOn } from './pass-on.ts';
import { isRemoved, removedChange } from './removed.ts';
import { launchReplay } from './replay/launch.ts';
import { start } from './start.ts';
import { early, isOvertaking, newerWaits, repairAfter, waits, wake } from './waiting.ts';

/**
 * Starts the attempt that a message asks for, if it is still wanted. Called twice, late, or on two hosts at once it
 * starts nothing twice: the host that moves the row to `starting` first does it.
 */
export async function launch(parts: Parts, message: LaunchMessage, now: Instant): Promise<void> {
  if (isReplay({ id: message.run })) return launchReplay(parts, message, now);
  const held: Held = {};
  try {
    await launchInPlace(parts, message, held, now);
  } catch (error) {
    if (held.place) await leaveUnbegun(parts, message, now, held.place.number);
    throw error;
  }
}

interface Held {
  /** Its place, once it has one. */
  place?: { number?: number };
}

async function launchInPlace(parts: Parts, message: LaunchMessage, held: Held, now: Instant): Promise<void> {
  const { store } = parts;
  for (let sure = false; ; sure = true) {
    // Before the run: when another host starts and ends that meanwhile, this row is out of date, and cannot be written.
    const guess = sure ? undefined : store.jobs.guess(message.job);
    const row = guess ?? (await store.jobs.get(message.job));
    const own = sure ? undefined : plainGuess(parts, message, row?.value, now);
    const found = own ?? (await store.runs.get(message.job, message.run));
    if (!found || !wanted(found.value, message.attempt, now)) break;
    const deployed = await admissible(parts, message, found, row?.value, now);
    if (!deployed || !row) {
      // Those behind it must not wait for it.
      const known = parts.catalog().get(message.job);
      await leaveLine(parts, message, known && placeOrder(known.job, found.value), now);
      break;
    }

    const run = found.value;
    const order = placeOrder(deployed.job, run);
    const decision = await decide(parts, deployed, run, row.value, now);
    // Only a start is written on condition that the run is as it was.
    if (own && decision.do !== 'start') continue;
    if (decision.do === 'start' && !held.place) {
      const entry = await enter(parts, message, order, now);
      if (entry.do === 'later') return store.launches.put(message, entry.at, now);
      if (entry.do === 'begun') return;
      if (entry.do === 'wait') {
        await parkWanted(parts, message, own ? await store.runs.get(run.job, run.id) : found, now);
        // Another launch of it may have left the line since: see leaveLine.
        await store.places.queue(inLine(message, order, now));
        return freePlaces(parts, now);
      }
      held.place = entry;
    }
    // Before the mark that has an end look for it: ends pass over those that stand in line, as one that had a place may have.
    if (decision.do !== 'start')
      await leaveLine(parts, held.place ? { ...message, inLine: true } : message, order, now);
    const change = changeFor(decision, row.value, run);
    // What nothing is written for must not rest on a guess.
    if (change ? !(await store.jobs.replace(change, row.etag)) : guess !== undefined) continue;
    if (decision.do === 'start') {
      // Its entry may say that it waits, and is looked at in an hour.
      if (message.inLine || run.reason !== null) await store.active.unpark(run.job, run.id, now + repairAfter);
      const ours = () => stillHas(parts, message, now, held.place?.number);
      // Awaited: what fails in it has the place given back.
      return await start(onExecutor(parts, deployed.job.executor), deployed, found, ours, now);
    }
    const holders = await freeJob(parts, row.value, now);
    if (holders.freed) continue;
    const unsure = holders.unsureUntil;
    if (
      decision.do === 'skip' &&
      decision.code === 'overlap' &&
      unsure !== undefined &&
      now < run.slot + longestDoubt
    ) {
      // Whether the run in the way exists at all is known then.
      await store.launches.put(messageOf(message), Math.min(unsure, run.startBy ?? unsure) + second, now);
      break;
    }
    if (decision.do === 'skip' && decision.code === 'overlap' && holders.waitingOnly) {
      // No slot is skipped for a run that may never exist.
      if (!(await waitBehind(parts, found, row, now))) continue;
      break;
    }
    await yieldTo(parts, found, decision, now);
    if (decision.do === 'wait' && row.value.running.length === 0 && decision.for === 'job') {
      await wake(parts, change ?? row.value, now, { over: run.id, all: true });
    }
    break;
  }
  // It does not start here after all.
  if (held.place) await leave(parts, message, now, held.place.number);
}

/** The run waits for the end of those that wait for the platform. False: another host has changed the job. */
async function waitBehind(parts: Parts, found: Versioned<Run>, row: Versioned<JobRow>, now: Instant): Promise<boolean> {
  const change = waits(row.value, found.value);
  if (change && !(await parts.store.jobs.replace(change, row.etag))) return false;
  const reason = `${row.value.running[0]?.run} of this job waits for the platform`;
  parts.emit({ type: 'run-waiting', run: found.value, reason });
  const entry = await parts.store.active.get(found.value.job, found.value.id);
  const behind: Run = { ...found.value, reasonCode: 'platform', reason };
  const written = await parts.store.runs.replace(behind, found.etag);
  if (entry && written) await park(parts, entry, written, 'job', reason, now);
  return true;
}

/**
 * The run as this process claimed it, when that is all there is to know: due, and not begun. Saves a read; should another
 * host have started it, {@link start} finds out. Not once a run has ended since: it may be this one, which must not take
 * its job again.
 */
function plainGuess(
  { store, catalog }: Parts,
  message: LaunchMessage,
  row: JobRow | undefined,
  now: Instant,
): Versioned<Run> | undefined {
  const guess = store.runs.guess(message.job, message.run);
  const last = row?.last;
  if (last && guess && (last.slot >= guess.value.slot || last.endedAt >= guess.value.createdAt)) return undefined;
  if (guess?.value.state !== 'queued' || message.attempt !== 1 || guess.value.attempts.length > 0) return undefined;
  if (guess.value.slot > now + early || tooLate(guess.value, now)) return undefined;
  const deployed = catalog().get(message.job);
  return deployed && !deployed.job.external && isRegistered(catalog(), message.job) ? guess : undefined;
}

async function parkWanted(parts: Parts, { attempt }: LaunchMessage, found: Versioned<Run> | undefined, now: Instant) {
  if (found && wanted(found.value, attempt, now)) await parkForPlace(parts, found, now);
}

/** What the run is to run; undefined: not now, or never. */
async function admissible(
  parts: Parts,
  message: LaunchMessage,
  found: Versioned<Run>,
  row: JobRow | undefined,
  now: Instant,
) {
  const run = found.value;
  if (run.slot > now + early) {
    await parts.store.launches.put(message, run.slot, now);
    return undefined;
  }
  const deployed = parts.catalog().get(run.job);
  if (!deployed) {
    // A newer package may know it, whose hosts take the message then.
    if (row && !isRemoved(parts.catalog(), row, now)) await passOn(parts, message, run, now);
    else await giveUp(parts, found, removedChange(run.job), now);
    return undefined;
  }
  if (!isRegistered(parts.catalog(), run.job)) {
    // Its code is not in the store; each tick tries again to bring it there, and wakes it then.
    await passOn(parts, message, run, now);
    return undefined;
  }
  if (deployed.job.external) {
    // What a ping does not begin is not begun here.
    if (row) await awaitPing(parts, deployed.job, row, found, now);
    return undefined;
  }
  const late = tooLate(run, now);
  if (!late) return deployed;
  await giveUp(parts, found, late, now);
  return undefined;
}

function wanted(run: Run, attempt: number, now: Instant): boolean {
  if (run.attempts.length !== attempt - 1) return false;
  // Too early, when clocks differ: the watch asks again.
  if (run.state === 'retrying') return (run.nextAttemptAt ?? 0) <= now + early;
  return run.state === 'queued';
}

/** A slot is not kept undecided for longer, should the platform not say what became of the run in its way. */
const longestDoubt = 5 * minute;
/** On time, and with no mark that others wait, a run can overtake none. */
const onTime = 5 * second;

async function decide(parts: Parts, { job }: Deployed, run: Run, row: JobRow, now: Instant): Promise<Overlap> {
  const decision = admit(job, run, row, now);
  const policy = afterPlatform(job, run);
  // It was late before the run in its way began, and is to be caught up: patient, as what is caught up always is.
  if (decision.do === 'skip' && decision.code === 'overlap' && policy === 'all')
    return { do: 'wait', for: 'job', reason: decision.reason };
  if (decision.do !== 'start' || run.attempts.length > 0) return decision;
  if (policy === 'none' || (policy === 'latest' && (await newerWaits(parts, row, run, now)))) {
    return { do: 'miss', reason: `the platform was unavailable (catchUp: ${policy})` };
  }
  if (!keepsOrder(job, run)) return decision;
  const alone = (row.waiting === null || row.waiting === run.id) && now < run.slot + onTime;
  if (alone || row.running.some((other) => other.run === run.id)) return decision;
  if (!(await isOvertaking(parts, job, row, run, now))) return decision;
  return { do: 'wait', for: 'job', reason: 'runs of older slots come first' };
}

/** The job as the decision leaves it; undefined: as it is. */
function changeFor(decision: Overlap, row: JobRow, run: Run): JobRow | undefined {
  // In the write that saw the job taken: a run that ends after it sees the mark, and wakes this one.
  if (decision.do === 'wait' || decision.do === 'replace') return waits(row, run);
  if (decision.do === 'skip' || decision.do === 'miss' || row.running.some((other) => other.run === run.id))
    return undefined;
  return { ...row, running: [...row.running, { run: run.id, trigger: run.trigger }] };
}

async function yieldTo(parts: Parts, found: Versioned<Run>, decision: Exclude<Overlap, { do: 'start' }>, now: Instant) {
  const run = found.value;
  if (decision.do === 'miss') {
    await giveUp(parts, found, { state: 'missed', reasonCode: 'outage', reason: decision.reason }, now);
  } else if (decision.do === 'skip') {
    await giveUp(parts, found, { state: 'skipped', reasonCode: decision.code, reason: decision.reason }, now);
  } else if (decision.do === 'wait') {
    parts.emit({ type: 'run-waiting', run, reason: decision.reason });
  } else {
    const why = { by: parts.person, why: `replaced by ${run.id}` };
    for (const other of decision.runs) await cancel(parts, run.job, other, why, now);
  }
}
