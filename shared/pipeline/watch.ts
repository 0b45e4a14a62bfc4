import { seeUnderWay } from '../alerts/see.ts';
import type { AttemptRef, Executor } from '../executors/executor.ts';
import { day, hour, type Instant, minute, second } from '../instant.ts';
import type { Job } from '../job/job.ts';
import { onExecutor, type Parts } from '../parts.ts';
import { type Attempt, currentAttempt, isFinal, type Run } from '../run/run.ts';
import type { ActiveRun } from '../store/active.ts';
import type { JobRow } from '../store/jobs.ts';
import type { Versioned } from '../store/table.ts';
import { end, endingOf } from './finish.ts';
import { followUp } from './follow-up.ts';
import { wake } from './waiting.ts';

/** A shim that has sent no heartbeat for this long may be gone. One comes every 20 s. */
const silence = 90 * second;
/** After its time limit and grace a shim gets this long to say how it ended. */
const slack = minute;
/** Nearly every start is through by then: about those that are not the platform is asked, again after as long. */
const slowStart = 2 * minute;
/** So many runs are looked at at once: a platform that is slow to answer must not keep the next tick waiting. */
const together = 16;
/** Fetching a Python and packages comes before the time limit begins; the shim allows uv this long. */
const preparation = 15 * minute;

/**
 * Looks again at every active run whose time has come. Whatever has died or got lost anywhere, this alone repairs it;
 * when all goes well it has nothing to do.
 */
export async function watch(parts: Parts, now: Instant): Promise<void> {
  const jobs: Jobs = new Map();
  const lookSafely = (entry: Versioned<ActiveRun>) =>
    look(parts, entry, now, jobs).catch((error) => {
      // One run that cannot be looked at must not hide the others.
      parts.emit({ type: 'trouble', doing: `watching ${entry.value.job}.${entry.value.run}`, error });
    });
  let some: Versioned<ActiveRun>[] = [];
  for await (const entry of parts.store.active.all()) {
    if (entry.value.checkAfter > now) continue;
    if (some.push(entry) < together) continue;
    await Promise.all(some.map(lookSafely));
    some = [];
  }
  await Promise.all(some.map(lookSafely));
  for (const job of jobs.keys()) {
    const row = await parts.store.jobs.get(job);
    // Mark or no mark: it may be the mark that got lost.
    if (row) await wake(parts, row.value, now, { all: true });
  }
}

/** The jobs of runs that are still queued, each as it was when it was first looked at. */
type Jobs = Map<string, Promise<Versioned<JobRow> | undefined>>;

async function look(parts: Parts, entry: Versioned<ActiveRun>, now: Instant, jobs: Jobs): Promise<unknown> {
  const { store } = parts;
  const found = await store.runs.get(entry.value.job, entry.value.run);
  if (!found) {
    // A claim that died before it was made. Kept for a day: its host may only be paused, and make it yet.
    if (now < entry.value.since + day) return store.active.lookAgain(entry, now + hour);
    return store.active.remove(entry.value.job, entry.value.run);
  }
  const run = found.value;
  if (isFinal(run.state)) return followUp(parts, run, now, { entry: entry.value });
  if (run.state === 'queued' || run.state === 'retrying') await seeUnderWay(parts, run, null, now);
  if (run.state === 'queued') {
    if (!jobs.has(run.job)) jobs.set(run.job, store.jobs.get(run.job));
    const row = await jobs.get(run.job);
    // Its launch died after it had taken the job: no other run can start, and no wake would reach this one.
    const holds = row?.value.running.some((other) => other.run === run.id);
    if (holds) await store.launches.put({ job: run.job, run: run.id, attempt: 1 }, now, now);
    return store.active.lookAgain(entry, now + 2 * minute);
  }
  if (run.state === 'retrying') {
    const at = Math.max(run.nextAttemptAt ?? now, now);
    await store.launches.put({ job: run.job, run: run.id, attempt: run.attempts.length + 1 }, at, now);
    return store.active.lookAgain(entry, at + 2 * minute);
  }
  return lookAtAttempt(parts, entry, found, now);
}

/** The result decides; a fresh heartbeat means alive; only when both are missing is the executor asked. */
async function lookAtAttempt(parts: Parts, entry: Versioned<ActiveRun>, found: Versioned<Run>, now: Instant) {
  const run = found.value;
  const attempt = currentAttempt(run);
  if (!attempt) throw new Error(`${run.job}.${run.id} is ${run.state} without an attempt`);
  const { store, executor, catalog } = onExecutor(parts, attempt.executor);
  const id = { job: run.job, run: run.id, attempt: attempt.number };

  const ending = await endingOf(parts, id);
  if (ending) return end(parts, found, attempt.number, ending, now);

  const begun = await store.attempts.begun(id);
  await seeUnderWay(parts, run, begun ?? null, now);
  if (begun === undefined) return lookAtUnbegun(parts, entry, found, attempt, now);

  const job = catalog().get(run.job)?.job;
  const due = job ? begun + longest(job) + slack : Number.POSITIVE_INFINITY;
  if (now > due || run.cancel) await askToStop(parts, { ...id, handle: attempt.handle }, executor);
  const heartbeat = (await store.attempts.lastHeartbeat(id)) ?? begun;
  // A heartbeat does not help a shim that neither ends in time nor when it is told to.
  const given = due + slack;
  if (now < heartbeat + silence && now < given)
    return store.active.lookAgain(entry, Math.min(heartbeat + silence, Math.max(due, now + second)));
  const status = await executor.status({ ...id, handle: attempt.handle });
  if (status === 'running' && now < given) return store.active.lookAgain(entry, now + minute);
  // It may have written its result between our two looks.
  const late = await endingOf(parts, id);
  if (late) return end(parts, found, attempt.number, late, now);
  if (status === 'out-of-memory') return end(parts, found, attempt.number, { kind: status }, now);
  const message = `no result and no sign of life since ${new Date(heartbeat).toISOString()}`;
  return end(parts, found, attempt.number, now > due ? { kind: 'overdue', message } : { kind: 'lost', message }, now);
}

/** Nobody has begun it: it gets its time, unless the run is cancelled or the platform knows that nobody will. */
async function lookAtUnbegun(
  parts: Parts,
  entry: Versioned<ActiveRun>,
  found: Versioned<Run>,
  { number, handle, executor: name, startedAt }: Attempt,
  now: Instant,
) {
  const { store, executor } = onExecutor(parts, name);
  const id = { job: found.value.job, run: found.value.id, attempt: number };
  const until = startedAt + executor.startGraceMs;
  let over = false;
  if (now < until && !found.value.cancel) {
    const ask = startedAt + slowStart;
    const status = now < ask ? 'running' : await executor.status({ ...id, handle });
    over = status === 'ended' || status === 'out-of-memory';
    if (!over) return store.active.lookAgain(entry, Math.min(now < ask ? ask : now + slowStart, until));
  }
  if (!(await store.attempts.abandon(id, parts.person))) return store.active.lookAgain(entry, now + 5 * second);
  await end(parts, found, number, { kind: 'abandoned', over }, now);
  if (over) return;
  // Nobody can begin it, but its container may still come, and take the place of the next. It leaves by itself then.
  await askToStop(parts, { ...id, handle }, executor);
}

/** A platform that will not, or may not, keeps nothing from being decided; the next look asks again. */
async function askToStop({ emit }: Parts, attempt: AttemptRef, executor: Executor): Promise<void> {
  await executor.stop(attempt).catch((error) => {
    emit({ type: 'trouble', doing: `stopping ${attempt.job}.${attempt.run} attempt ${attempt.attempt}`, error });
  });
}

function longest({ locked, python, timeoutMs, graceMs }: Job): number {
  return (locked || python !== null ? preparation : 0) + timeoutMs + graceMs;
}
