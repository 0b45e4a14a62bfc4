import { end, settle, wake } from './finish.ts';
import { day, hour, type Instant, minute, second } from './instant.ts';
import type { Parts } from './parts.ts';
import { currentAttempt, isFinal, type Run } from './run.ts';
import type { ActiveRun } from './store/active.ts';
import type { Versioned } from './store/table.ts';

/** A shim that has not beaten for so long may be gone. It beats every 20 s. */
const silence = 90 * second;
/** After its time limit and grace a shim gets this long to say how it ended. */
const slack = minute;

/**
 * Looks again at every active run whose time has come. Whatever has died or got lost anywhere, this alone repairs it;
 * when all goes well it has nothing to do.
 */
export async function watch(parts: Parts, now: Instant): Promise<void> {
  const jobs = new Set<string>();
  for await (const entry of parts.store.active.all()) {
    if (entry.value.checkAfter > now) continue;
    try {
      await look(parts, entry, now, jobs);
    } catch (error) {
      // One run that cannot be looked at must not hide the others.
      parts.journal({ type: 'trouble', doing: `watching ${entry.value.job}.${entry.value.run}`, error });
    }
  }
  for (const job of jobs) await wake(parts, job, now);
}

async function look(parts: Parts, entry: Versioned<ActiveRun>, now: Instant, jobs: Set<string>): Promise<void> {
  const { store } = parts;
  const found = await store.runs.get(entry.value.job, entry.value.run);
  if (!found) {
    // A claim that died before it was made. Kept for a day: its host may only be paused, and make it yet.
    if (now < entry.value.since + day) return store.active.lookAgain(entry, now + hour);
    return store.active.remove(entry.value.job, entry.value.run);
  }
  const run = found.value;
  if (isFinal(run.state)) return settle(parts, run, now);
  if (run.state === 'queued') {
    jobs.add(run.job);
    return store.active.lookAgain(entry, now + 2 * minute);
  }
  if (run.state === 'retrying') {
    await store.active.lookAgain(entry, now + 2 * minute);
    return store.launches.put(
      { job: run.job, run: run.id, attempt: run.attempts.length + 1 },
      run.nextAttemptAt ?? now,
      now,
    );
  }
  return lookAtAttempt(parts, entry, found, now);
}

/** The result decides; a fresh beat means alive; only when both are missing is the executor asked. */
async function lookAtAttempt(parts: Parts, entry: Versioned<ActiveRun>, found: Versioned<Run>, now: Instant) {
  const { store, executor, catalog } = parts;
  const run = found.value;
  const attempt = currentAttempt(run);
  if (!attempt) throw new Error(`${run.job}.${run.id} is ${run.state} without an attempt`);
  const id = { job: run.job, run: run.id, attempt: attempt.number };

  const result = await store.attempts.result(id);
  if (result) return end(parts, found, attempt.number, { kind: 'result', result }, now);

  const begun = await store.attempts.begun(id);
  if (begun === undefined) {
    if (now < attempt.startedAt + executor.startGraceMs) {
      return store.active.lookAgain(entry, attempt.startedAt + executor.startGraceMs);
    }
    if (!(await store.attempts.abandon(id, parts.person))) return store.active.lookAgain(entry, now + 5 * second);
    return end(parts, found, attempt.number, { kind: 'abandoned' }, now);
  }

  const job = catalog().get(run.job)?.job;
  const due = job ? begun + job.timeoutMs + job.graceMs + slack : Number.POSITIVE_INFINITY;
  if (now > due || run.cancel) await executor.stop({ ...id, handle: attempt.handle });
  const beat = (await store.attempts.lastBeat(id)) ?? begun;
  if (now < beat + silence) return store.active.lookAgain(entry, Math.min(beat + silence, Math.max(due, now + second)));
  if ((await executor.status({ ...id, handle: attempt.handle })) === 'running' && now < due + slack) {
    return store.active.lookAgain(entry, now + minute);
  }
  // It may have written its result between our two looks.
  const late = await store.attempts.result(id);
  if (late) return end(parts, found, attempt.number, { kind: 'result', result: late }, now);
  const message = `no result and no sign of life since ${new Date(beat).toISOString()}`;
  return end(parts, found, attempt.number, now > due ? { kind: 'overdue', message } : { kind: 'lost', message }, now);
}
