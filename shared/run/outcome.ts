import type { Instant } from '../instant.ts';
import type { Job } from '../job/job.ts';
import { sizeText } from '../job/size.ts';
import type { AttemptResult, ErrorClass } from './attempt.ts';
import { leftOut, measured } from './metrics.ts';
import { outside } from './outside.ts';
import { mayRetry, noRetry, retryDelay } from './retry.ts';
import { type Attempt, currentAttempt, type FinalState, type Run } from './run.ts';
import { afterUnbegun } from './unbegun.ts';
import { warnings } from './warnings.ts';

/** How an attempt came to its end. */
export type Ending =
  | { kind: 'result'; result: AttemptResult }
  /** It left a result that cannot be read. */
  | { kind: 'unreadable'; message: string }
  /** It could not be started; no shim will ever begin it. */
  | { kind: 'refused'; class: ErrorClass; message: string; retryAfterMs?: number | undefined }
  /** No shim began it in time, and now none can. `why`: given where more is known. */
  | { kind: 'abandoned'; why?: string | undefined }
  /** It began and left neither a result nor a sign of life. */
  | { kind: 'lost'; message: string }
  /** It was killed for lack of memory, and its shim with it. */
  | { kind: 'out-of-memory' }
  /** Its time limit is over and its shim did not say so itself. */
  | { kind: 'overdue'; message: string };

/** Refusals that say nothing of the job: too many requests, a quota, a daemon or a service that is unavailable. */
const platformTrouble: readonly ErrorClass[] = ['throttled', 'infrastructure'];

/** The run after its current attempt has ended: final, or waiting for the next attempt. Pure. */
export function conclude(run: Run, ending: Ending, job: Job | undefined, now: Instant, random: number): Run {
  const attempt = ended(run, ending, job, now);
  const next: Run = { ...run, attempts: [...run.attempts.slice(0, -1), attempt] };
  if (ending.kind === 'result') record(next, ending.result);
  // It began, and no one is left to say when exactly.
  else if (ending.kind !== 'refused' && ending.kind !== 'abandoned') next.startedAt ??= attempt.startedAt;

  if (attempt.state === 'succeeded') return finish(next, 'succeeded', now, job);
  if (run.cancel) return finish({ ...next, reason: run.cancel.why || null }, 'cancelled', now, job);
  if (attempt.state === 'abandoned') return again(next, attempt, ending, now, job, random);
  if (job && attempt.errorClass && mayRetry(job.retry, next, attempt.errorClass, attempt.errorParts)) {
    const begun = next.attempts.filter(({ state }) => state !== 'abandoned').length;
    return { ...next, state: 'retrying', nextAttemptAt: now + retryDelay(job.retry, begun, random) };
  }
  attempt.noRetry = unretried(attempt, next, job);
  return finish(next, attempt.state as FinalState, now, job);
}

function unretried({ errorClass, errorParts }: Attempt, run: Run, job: Job | undefined): string {
  if (!job) return 'the job is gone';
  return (errorClass && noRetry(job.retry, run, errorClass, errorParts)) ?? 'its failure has no class';
}

function ended(run: Run, ending: Ending, job: Job | undefined, now: Instant): Attempt {
  const attempt = currentAttempt(run);
  if (!attempt) throw new Error(`${run.job}.${run.id} has no attempt that could end`);
  switch (ending.kind) {
    case 'result':
      return ofResult(attempt, ending.result, run);
    case 'abandoned':
      return { ...attempt, state: 'abandoned', endedAt: now, error: ending.why ?? 'no shim began it' };
    case 'unreadable':
      return { ...attempt, state: 'failed', endedAt: now, errorClass: 'infrastructure', error: ending.message };
    case 'refused': {
      const state = platformTrouble.includes(ending.class) ? 'abandoned' : 'failed';
      return { ...attempt, state, endedAt: now, errorClass: ending.class, error: ending.message };
    }
    case 'lost':
      return { ...attempt, state: 'lost', endedAt: now, errorClass: 'lost', error: ending.message };
    case 'out-of-memory':
      return { ...attempt, ...starved(job), endedAt: now };
    case 'overdue':
      return { ...attempt, state: 'timed-out', endedAt: now, errorClass: 'timeout', error: ending.message };
  }
}

/** As a shim that lives to report it puts it, see classify.py. */
function starved(job: Job | undefined) {
  const limit = job ? ` (limit ${sizeText(job.memoryBytes)})` : '';
  const error = `out of memory${limit}: give the job more (run.memory), or let it load less`;
  return { state: 'failed', exitCode: 137, signal: 'SIGKILL', errorClass: 'memory', error } as const;
}

function ofResult(attempt: Attempt, result: AttemptResult, run: Run): Attempt {
  const stopped = result.outcome === 'stopped';
  return {
    ...attempt,
    state: stopped ? (run.cancel ? 'cancelled' : 'failed') : (result.outcome as Attempt['state']),
    startedAt: Date.parse(result.startedAt),
    endedAt: Date.parse(result.endedAt),
    exitCode: result.exitCode,
    signal: result.signal,
    errorClass: stopped ? 'infrastructure' : (result.error?.class ?? null),
    error: stopped ? 'stopped before it was done' : (result.error?.message ?? null),
    // Elsewhere no shim has measured them.
    ...(attempt.executor === outside ? {} : { cpuMs: result.cpuMs, peakMemoryBytes: result.peakMemoryBytes }),
    logBytes: attempt.executor === outside && result.log.bytes === 0 ? null : result.log.bytes,
    ...(stopped ? {} : evidence(result)),
  };
}

/** What a result may say beyond its class, for incidents. */
function evidence({ error, suspect }: AttemptResult): Partial<Attempt> {
  return {
    ...(error?.kind && { errorKind: error.kind }),
    ...(error?.parts && { errorParts: error.parts }),
    ...(error?.fingerprint && { fingerprint: error.fingerprint }),
    ...(error?.host && { host: error.host }),
    ...(suspect && { suspect: suspect.message, ...(suspect.fingerprint && { fingerprint: suspect.fingerprint }) }),
  };
}

function record(run: Run, result: AttemptResult): void {
  run.metrics = result.metrics;
  run.outputs = result.outputs.map(({ path, bytes, sha256, profile, problem }) => ({
    path,
    bytes: bytes ?? null,
    sha256: sha256 ?? null,
    rows: profile?.rows ?? null,
    ...(profile?.partial && { partial: true as const }),
    problem: problem ?? null,
  }));
  if (run.versions) run.versions = { ...run.versions, python: result.python || null };
  run.attempts = run.attempts.map((attempt) =>
    attempt === currentAttempt(run) && attempt.versions ? { ...attempt, versions: run.versions } : attempt,
  );
  run.startedAt ??= Date.parse(result.startedAt);
  run.warnings = [...result.metricProblems, ...leftOut(measured(run, result))];
  if (result.suspect) run.warnings.push(`exit code 0, yet the log shows an error: ${result.suspect.message}`);
}

/** The run as {@link afterUnbegun} leaves it. */
function again(run: Run, attempt: Attempt, ending: Ending, now: Instant, job: Job | undefined, random: number): Run {
  const next = afterUnbegun(run, now, random, ending.kind === 'refused' ? ending.retryAfterMs : undefined);
  switch (next.do) {
    case 'try again':
      return { ...run, state: 'retrying', reason: next.reason, nextAttemptAt: next.at };
    case 'miss':
      return finish({ ...run, reason: next.reason, reasonCode: 'start-within' }, 'missed', now, job);
    case 'give up': {
      const last: Attempt = { ...attempt, errorClass: attempt.errorClass ?? 'infrastructure', error: next.error };
      return finish({ ...run, reason: null, attempts: [...run.attempts.slice(0, -1), last] }, next.state, now, job);
    }
  }
}

function finish(run: Run, state: FinalState, now: Instant, job: Job | undefined): Run {
  const done: Run = {
    ...run,
    state,
    nextAttemptAt: null,
    endedAt: currentAttempt(run)?.endedAt ?? now,
  };
  return { ...done, warnings: [...done.warnings, ...warnings(done, job)] };
}
