import { randomUUID } from 'node:crypto';
import { troubleText } from '../events.ts';
import { StartError } from '../executors/executor.ts';
import { type Instant, second } from '../instant.ts';
import type { Deployed } from '../job/catalog.ts';
import { uncontained, ungranted } from '../job/isolation.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import { type Attempt, currentAttempt, isFinal, newAttempt, type Run, type Versions } from '../run/run.ts';
import type { Versioned } from '../store/table.ts';
import { leave } from './capacity.ts';
import { end } from './finish.ts';
import { followUp } from './follow-up.ts';
import { findInputs } from './inputs.ts';
import { attemptSpec, longestAttempt, readSecrets, stampVersions } from './spec.ts';
import { repairAfter } from './waiting.ts';

/** What takes longer than this to prepare, ms, may have lost its place: others take it for one that a dead host left. */
const slowMs = 30 * second;

/**
 * Starts the next attempt of a run that holds its job. The host that moves the row to `starting` does it; when that is another,
 * nothing is started here.
 * @param ours whether this launch still has its place; when not, the run is queued again
 */
export async function start(
  parts: Parts,
  deployed: Deployed,
  found: Versioned<Run>,
  ours: () => Promise<boolean>,
  now: Instant,
): Promise<void> {
  const { store, executor } = parts;
  const began = performance.now();
  const ready = await prepare(parts, deployed.job, found.value).catch(refused);
  const versions = stampVersions(parts, deployed, ready instanceof StartError ? {} : ready.versions);
  const inputs = ready instanceof StartError ? [] : ready.inputs;
  const next = (run: Run) => starting(parts, deployed.job, versions, { ...run, inputs }, now);
  if (performance.now() - began > slowMs && !(await ours())) {
    const { job, id, attempts } = found.value;
    return store.launches.put({ job, run: id, attempt: attempts.length + 1 }, now, now);
  }
  const claimed = await claim(parts, found, next, now);
  if (!claimed) return;
  const run = claimed.value;
  const number = run.attempts.length;
  try {
    if (ready instanceof StartError) throw ready;
    const spec = await attemptSpec(parts, deployed, run, number, ready.values, now).catch(unprepared);
    const handle = await executor.start(spec);
    await recordHandle(parts, claimed, handle);
  } catch (error) {
    const { class: errorClass, message, retryAfterMs } = refused(error);
    // Make sure that what may have started after all does not run.
    if (!(await store.attempts.abandon({ job: run.job, run: run.id, attempt: number }, parts.person))) return;
    await end(parts, claimed, number, { kind: 'refused', class: errorClass, message, retryAfterMs }, now);
  }
}

/** Moves the row to `starting`. Undefined: another host has moved the run meanwhile, and nothing is started here. */
async function claim(
  parts: Parts,
  found: Versioned<Run>,
  starting: (run: Run) => Run,
  now: Instant,
): Promise<Versioned<Run> | undefined> {
  for (let current = found; ; ) {
    const run = starting(current.value);
    const claimed = await parts.store.runs.replace(run, current.etag);
    if (claimed) return claimed;
    const moved = await parts.store.runs.get(run.job, run.id);
    // Ours after all: it arrived, and only its answer was lost on the way.
    if (moved && currentAttempt(moved.value)?.starter === currentAttempt(run)?.starter) return moved;
    if (moved && isFinal(moved.value.state)) {
      // If it was ended before it held the job and a place, it must not hold them now.
      await followUp(parts, moved.value, now);
      await leave(parts, { job: run.job, run: run.id, attempt: run.attempts.length }, now);
    }
    // As it waited before, with another reason or a notice.
    if (moved?.value.state !== current.value.state || moved.value.attempts.length >= run.attempts.length)
      return undefined;
    // What was known of it may be a guess: it waited for a place since, and its entry says so.
    if (moved.value.reason !== null) await parts.store.active.unpark(run.job, run.id, now + repairAfter);
    current = moved;
  }
}

/** @throws StartError */
async function prepare(parts: Parts, job: Job, run: Run) {
  // A job that asks for a container must not get less.
  if (job.executor !== null && job.executor !== parts.executor.name) {
    const what = `${job.name} asks for run.executor: ${job.executor}, and here is only ${parts.executor.name}`;
    throw new StartError('configuration', what);
  }
  const [wish] = ungranted(job, parts.settings.isolation ?? uncontained);
  if (wish) {
    const what = `${job.name} asks for run.${wish.field}: ${wish.value}, which this host was not started to allow`;
    throw new StartError('configuration', `${what}: delete the line, or start the host with ${wish.flag}`);
  }
  return { ...(await readSecrets(parts, job)), inputs: await findInputs(parts, job, run) };
}

/** Notes how the attempt can be found. It may have ended already, or be cancelled meanwhile. */
async function recordHandle(parts: Parts, claimed: Versioned<Run>, handle: string): Promise<void> {
  const number = claimed.value.attempts.length;
  let current: Versioned<Run> | undefined = claimed;
  while (current?.value.state === 'starting' && current.value.attempts.length === number) {
    const run = running(current.value, handle);
    if (await parts.store.runs.replace(run, current.etag)) {
      parts.emit({ type: 'attempt-started', run });
      if (run.cancel) await parts.executor.stop({ job: run.job, run: run.id, attempt: number, handle });
      return;
    }
    current = await parts.store.runs.get(run.job, run.id);
  }
}

/** Nothing has been started yet: it is tried again soon, not when the time for a slow start is over. */
function unprepared(error: unknown): never {
  throw new StartError('infrastructure', `what it needs could not be prepared: ${troubleText(error)}`, error);
}

/** Anything else is an outage of ours: it goes up, and the watch repairs. */
function refused(error: unknown): StartError {
  if (error instanceof StartError) return error;
  throw error;
}

function starting(parts: Parts, job: Job, versions: Versions, run: Run, now: Instant): Run {
  const attempt = newAttempt(run.attempts.length + 1, parts.executor.name, now, {
    limitMs: longestAttempt(job),
    starter: randomUUID().slice(0, 13),
    versions,
  });
  const notices = run.notices.filter((what) => what !== 'overdue');
  const attempts = [...run.attempts, attempt];
  return {
    ...run,
    state: 'starting',
    reason: null,
    reasonCode: null,
    nextAttemptAt: null,
    attempts,
    versions,
    notices,
  };
}

function running(run: Run, handle: string): Run {
  const attempts = run.attempts.map((attempt, index): Attempt => {
    return index === run.attempts.length - 1 ? { ...attempt, state: 'running', handle } : attempt;
  });
  return { ...run, state: 'running', attempts };
}
