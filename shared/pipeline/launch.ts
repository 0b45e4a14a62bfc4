import { seeUnderWay } from '../alerts/see.ts';
import { type Instant, minute } from '../instant.ts';
import type { Deployed } from '../job/catalog.ts';
import { onExecutor, type Parts } from '../parts.ts';
import { admit, type Overlap } from '../run/overlap.ts';
import { attemptsBegun, isFinal, type Run } from '../run/run.ts';
import type { JobRow } from '../store/jobs.ts';
import type { LaunchMessage } from '../store/launches.ts';
import type { Versioned } from '../store/table.ts';
import { cancel } from './cancel.ts';
import { postpone } from './capacity.ts';
import { followUp } from './follow-up.ts';
import { release } from './release.ts';
import { start } from './start.ts';
import { early, waits } from './waiting.ts';

/**
 * Starts the attempt that a message asks for, if it is still wanted. Called twice, late, or on two hosts at once it
 * starts nothing twice: whoever moves the row to `starting` first does it.
 */
export async function launch(parts: Parts, message: LaunchMessage, now: Instant): Promise<void> {
  const { store } = parts;
  for (let sure = false; ; sure = true) {
    // Before the run: when somebody else starts and ends that meanwhile, this row is out of date, and cannot be written.
    const guess = sure ? undefined : store.jobs.guess(message.job);
    const row = guess ?? (await store.jobs.get(message.job));
    const found = await store.runs.get(message.job, message.run);
    if (!found || !wanted(found.value, message.attempt, now)) return;
    const deployed = await admissible(parts, message, found, row?.value.since, now);
    // Not registered yet: the watch asks again.
    if (!deployed || !row) return;
    if (!sure && parts.hasPlace && !(await parts.hasPlace(now))) {
      // The watch leaves it alone while its message comes again and again.
      await seeUnderWay(parts, found.value, null, now);
      return postpone(parts, message, now);
    }
    const took = await takeJob(parts, deployed, found, { ...row, isGuess: guess !== undefined }, now);
    if (took === 'yes') await start(onExecutor(parts, deployed.job.executor), deployed, found, now);
    if (took !== 'ask again') return;
  }
}

/** So long hosts of two packages may work side by side, and a run of a job that is new be handed to one of the former. */
const deployingMs = 10 * minute;

/** What the run is to run; undefined: not now, or never. @param since when the job was seen first */
async function admissible(
  parts: Parts,
  message: LaunchMessage,
  found: Versioned<Run>,
  since: Instant | undefined,
  now: Instant,
) {
  const run = found.value;
  if (run.slot > now + early) {
    await parts.store.launches.put(message, run.slot, now);
    return undefined;
  }
  const deployed = parts.catalog().get(run.job);
  if (!deployed) {
    if (since !== undefined && now < since + deployingMs) {
      await postpone(parts, message, now);
      return undefined;
    }
    await giveUp(parts, found, { state: 'cancelled', reason: `the job ${run.job} is not here any more` }, now);
    return undefined;
  }
  if (run.startBy !== null && now > run.startBy && attemptsBegun(run) === 0) {
    const reason = `could not start by ${new Date(run.startBy).toISOString()}`;
    await giveUp(parts, found, { state: 'missed', reasonCode: 'start-within', reason }, now);
    return undefined;
  }
  return deployed;
}

function wanted(run: Run, attempt: number, now: Instant): boolean {
  if (run.attempts.length !== attempt - 1) return false;
  // Too early, when clocks differ: the watch asks again.
  if (run.state === 'retrying') return (run.nextAttemptAt ?? 0) <= now + early;
  return run.state === 'queued';
}

/** Enters the run among those that hold its job, as the overlap policy allows. */
async function takeJob(
  parts: Parts,
  { job }: Deployed,
  found: Versioned<Run>,
  { value: row, etag, isGuess }: Versioned<JobRow> & { isGuess: boolean },
  now: Instant,
): Promise<'yes' | 'no' | 'ask again'> {
  const run = found.value;
  const decision = admit(job, run, row);
  const change = changeFor(decision, row, run);
  // What nothing is written for must not rest on a guess.
  if (change ? !(await parts.store.jobs.replace(change, etag)) : isGuess) return 'ask again';
  if (decision.do === 'start') return 'yes';
  if (await freeJob(parts, row, now)) return 'ask again';
  await yieldTo(parts, found, decision, now);
  return 'no';
}

/** The job as the decision leaves it; undefined: as it is. */
function changeFor(decision: Overlap, row: JobRow, run: Run): JobRow | undefined {
  // In the write that saw the job taken: whoever ends after it sees the mark, and wakes this run.
  if (decision.do === 'wait' || decision.do === 'replace') return waits(row, run);
  if (decision.do === 'skip' || row.running.some((other) => other.run === run.id)) return undefined;
  return { ...row, running: [...row.running, { run: run.id, trigger: run.trigger }] };
}

/** Lets go of runs that are over and still hold the job because their host died at the wrong instant. */
async function freeJob(parts: Parts, { name, running }: JobRow, now: Instant): Promise<boolean> {
  let freed = false;
  for (const { run } of running) {
    const holder = await parts.store.runs.get(name, run);
    if (!holder || !isFinal(holder.value.state)) continue;
    // The rest of what follows from its end is done by the watch, or is being done.
    await release(parts, [holder.value], now);
    freed = true;
  }
  return freed;
}

async function yieldTo(parts: Parts, found: Versioned<Run>, decision: Exclude<Overlap, { do: 'start' }>, now: Instant) {
  const run = found.value;
  if (decision.do === 'skip') {
    await giveUp(parts, found, { state: 'skipped', reasonCode: decision.code, reason: decision.reason }, now);
  } else if (decision.do === 'wait') {
    parts.emit({ type: 'run-waiting', run, reason: decision.reason });
  } else {
    const why = { by: parts.person, why: `replaced by ${run.id}` };
    for (const other of decision.runs) await cancel(parts, run.job, other, why, now);
  }
}

async function giveUp(parts: Parts, found: Versioned<Run>, change: Partial<Run>, now: Instant): Promise<void> {
  const run: Run = { ...found.value, endedAt: now, ...change };
  if (!(await parts.store.runs.replace(run, found.etag))) return;
  await followUp(parts, run, now);
}
