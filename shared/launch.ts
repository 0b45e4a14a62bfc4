import { postpone } from './capacity.ts';
import type { Deployed } from './catalog.ts';
import { cancel } from './control.ts';
import { StartError } from './executor.ts';
import { end, settle } from './finish.ts';
import type { Instant } from './instant.ts';
import type { Job } from './job.ts';
import { admit, type Overlap } from './overlap.ts';
import { onExecutor, type Parts } from './parts.ts';
import { type Attempt, attemptsBegun, isFinal, type Run, type Versions } from './run.ts';
import { attemptSpec, readSecrets, stampVersions } from './spec.ts';
import type { JobRow } from './store/jobs.ts';
import type { LaunchMessage } from './store/launches.ts';
import type { Versioned } from './store/table.ts';
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
    const deployed = await admissible(parts, message, found, now);
    // Not registered yet: the watch asks again.
    if (!deployed || !row) return;
    if (!sure && parts.hasPlace && !(await parts.hasPlace(now))) return postpone(parts, message, now);
    const took = await takeJob(parts, deployed, found, { ...row, isGuess: guess !== undefined }, now);
    if (took === 'yes') await start(onExecutor(parts, deployed.job.executor), deployed, found, now);
    if (took !== 'ask again') return;
  }
}

/** What the run is to run; undefined: not now, or never. */
async function admissible(parts: Parts, message: LaunchMessage, found: Versioned<Run>, now: Instant) {
  const run = found.value;
  if (run.slot > now + early) {
    await parts.store.launches.put(message, run.slot, now);
    return undefined;
  }
  const deployed = parts.catalog().get(run.job);
  if (!deployed) {
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
    await settle(parts, holder.value, now);
    freed = true;
  }
  return freed;
}

async function yieldTo(parts: Parts, found: Versioned<Run>, decision: Exclude<Overlap, { do: 'start' }>, now: Instant) {
  const run = found.value;
  if (decision.do === 'skip') {
    await giveUp(parts, found, { state: 'skipped', reasonCode: decision.code, reason: decision.reason }, now);
  } else if (decision.do === 'wait') {
    parts.journal({ type: 'run-waiting', run, reason: decision.reason });
  } else {
    const why = { by: parts.person, why: `replaced by ${run.id}` };
    for (const other of decision.runs) await cancel(parts, run.job, other, why, now);
  }
}

async function giveUp(parts: Parts, found: Versioned<Run>, change: Partial<Run>, now: Instant): Promise<void> {
  const run: Run = { ...found.value, endedAt: now, ...change };
  if (!(await parts.store.runs.replace(run, found.etag))) return;
  parts.journal({ type: 'run-not-started', run });
  await settle(parts, run, now);
}

async function start(parts: Parts, deployed: Deployed, found: Versioned<Run>, now: Instant): Promise<void> {
  const { store, executor } = parts;
  const secrets = await prepare(parts, deployed.job).catch(refused);
  const versions = stampVersions(parts, deployed, secrets instanceof StartError ? {} : secrets.versions);
  const claimed = await store.runs.replace(starting(parts, versions, found.value, now), found.etag);
  if (!claimed) {
    // Somebody else moved the run meanwhile. If they ended it before it held the job, it must not hold it now.
    const moved = await store.runs.get(found.value.job, found.value.id);
    if (moved && isFinal(moved.value.state)) await settle(parts, moved.value, now);
    return;
  }
  const run = claimed.value;
  const number = run.attempts.length;
  try {
    if (secrets instanceof StartError) throw secrets;
    const handle = await executor.start(await attemptSpec(parts, deployed, run, number, secrets.values, now));
    await recordHandle(parts, claimed, handle);
  } catch (error) {
    const { class: errorClass, message } = refused(error);
    // Make sure that what may have started after all does not run.
    if (!(await store.attempts.abandon({ job: run.job, run: run.id, attempt: number }, parts.person))) return;
    await end(parts, claimed, number, { kind: 'refused', class: errorClass, message }, now);
  }
}

/** @throws StartError */
async function prepare(parts: Parts, job: Job) {
  // A job that asks for a container must not get less.
  if (job.executor !== null && job.executor !== parts.executor.name) {
    const what = `${job.name} asks for run.executor: ${job.executor}, and here is only ${parts.executor.name}`;
    throw new StartError('configuration', what);
  }
  return readSecrets(parts, job);
}

/** Notes how the attempt can be found. It may have ended already, and somebody may have asked to cancel it meanwhile. */
async function recordHandle(parts: Parts, claimed: Versioned<Run>, handle: string): Promise<void> {
  const number = claimed.value.attempts.length;
  let current: Versioned<Run> | undefined = claimed;
  while (current?.value.state === 'starting' && current.value.attempts.length === number) {
    const run = running(current.value, handle);
    if (await parts.store.runs.replace(run, current.etag)) {
      parts.journal({ type: 'attempt-started', run });
      if (run.cancel) await parts.executor.stop({ job: run.job, run: run.id, attempt: number, handle });
      return;
    }
    current = await parts.store.runs.get(run.job, run.id);
  }
}

/** Anything else is an outage of ours: it goes up, and the watch repairs. */
function refused(error: unknown): StartError {
  if (error instanceof StartError) return error;
  throw error;
}

function starting(parts: Parts, versions: Versions, run: Run, now: Instant): Run {
  const attempt: Attempt = {
    number: run.attempts.length + 1,
    state: 'starting',
    executor: parts.executor.name,
    handle: null,
    startedAt: now,
    endedAt: null,
    exitCode: null,
    signal: null,
    errorClass: null,
    error: null,
    cpuMs: null,
    peakMemoryBytes: null,
    logBytes: null,
  };
  return { ...run, state: 'starting', nextAttemptAt: null, attempts: [...run.attempts, attempt], versions };
}

function running(run: Run, handle: string): Run {
  const attempts = run.attempts.map((attempt, index): Attempt => {
    return index === run.attempts.length - 1 ? { ...attempt, state: 'running', handle } : attempt;
  });
  return { ...run, state: 'running', attempts };
}
