import { type Instant, iso, minute, second } from '../instant.ts';
import { cut, visible } from '../text.ts';
import type { AttemptResult, MetricValue } from './attempt.ts';
import { currentAttempt, isFinal, type Run } from './run.ts';

/** Runs of external jobs: no one here starts them, they report themselves by pings. Facts and decisions. */

/** What attempts of external jobs have as their executor. */
export const outside = 'outside';

/** Without `mustStartWithin` a slot waits this long for its first ping. */
export const pingPatience = 10 * minute;
/** Slots are claimed ahead: a clock that is this much fast still meets its own. */
const early = 30 * second;
/** A ping without a name that comes again this soon is the same one, sent again. */
const repeated = 30 * second;

export type PingKind = 'start' | 'success' | 'fail';

/** What a ping may say; checked at the edge. */
export interface Report {
  /** What the caller calls its run, the same in each ping of it; null: it has no name. */
  name: string | null;
  exitCode: number | null;
  error: string | null;
  log: string | null;
  metrics: Record<string, MetricValue>;
}

/** What a ping is about: a run that it begins, one that it ends, one that says the same already, or one of its own. */
export type Choice = { do: 'begin' | 'end' | 'nothing'; run: Run } | { do: 'own' };

/**
 * Which run a ping means. Pure.
 * @param runs of the job: all that are not final, and the newest of the others
 */
export function choose(runs: readonly Run[], kind: PingKind, name: string | null, now: Instant): Choice {
  const pinged = runs.filter((run) => currentAttempt(run)?.executor === outside);
  const called = (run: Run) => currentAttempt(run)?.handle ?? null;
  const same = name === null ? undefined : pinged.find((run) => called(run) === name);
  if (same) return { do: kind !== 'start' && endable(same) ? 'end' : 'nothing', run: same };

  const underWay = pinged
    .filter(({ state }) => state === 'running')
    .sort((a, b) => (currentAttempt(a)?.startedAt ?? 0) - (currentAttempt(b)?.startedAt ?? 0));
  const nameless = underWay.filter((run) => called(run) === null);
  if (kind !== 'start') {
    // With a name it may still be the one that began without; without one, the only one there is.
    const meant = name === null ? (nameless[0] ?? only(underWay)) : only(nameless);
    if (meant) return { do: 'end', run: meant };
  }
  if (name === null) {
    const at = (run: Run) => (kind === 'start' ? currentAttempt(run)?.startedAt : run.endedAt) ?? 0;
    const before = pinged.find((run) => called(run) === null && at(run) > now - repeated);
    if (before) return { do: 'nothing', run: before };
  }
  const slot = runs
    .filter((run) => run.state === 'queued' && run.slot <= now + early && (run.startBy ?? now) >= now)
    .sort((a, b) => b.slot - a.slot);
  const run = slot.find((one) => one.slot <= now) ?? slot.at(-1);
  return run ? { do: 'begin', run } : { do: 'own' };
}

/** One that was given up takes its result as a remark. */
function endable({ state }: Run): boolean {
  return !isFinal(state) || state === 'timed-out' || state === 'lost';
}

function only(runs: readonly Run[]): Run | undefined {
  return runs.length === 1 ? runs[0] : undefined;
}

/** What the ping that ends a run has left, as a shim would leave it. An exit code other than 0 is no success. */
export function resultOf(run: Run, kind: 'success' | 'fail', report: Report, now: Instant): AttemptResult {
  const attempt = currentAttempt(run);
  if (!attempt) throw new Error(`${run.job}.${run.id} has no attempt that could end`);
  const failed = kind === 'fail' || (report.exitCode ?? 0) !== 0;
  const log = report.log ?? '';
  return {
    version: 1,
    job: run.job,
    run: run.id,
    attempt: attempt.number,
    outcome: failed ? 'failed' : 'succeeded',
    exitCode: report.exitCode ?? (failed ? null : 0),
    signal: null,
    error: failed ? { class: 'application', message: messageOf(report), detail: tail(log) } : null,
    startedAt: iso(attempt.startedAt),
    jobStartedAt: null,
    endedAt: iso(Math.max(now, attempt.startedAt)),
    cpuMs: 0,
    peakMemoryBytes: 0,
    log: logOf(log, now),
    metrics: report.metrics,
    metricProblems: [],
    outputs: [],
    inputs: {},
    python: '',
    storageCalls: 0,
  };
}

/** More lines of a ping are not kept. */
const mostLines = 1_000;

/** The text as records, as a shim writes a log: each line with the time at which it came. */
function logOf(text: string, now: Instant): AttemptResult['log'] {
  const lines = text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/);
  const stamp = new Date(now).toISOString();
  const records = lines.slice(-mostLines).map((line) => `${stamp} ${line}\n`);
  const capped = lines.length > mostLines;
  return { bytes: Buffer.byteLength(text), lines: lines.length, capped, text: records.join('') };
}

function messageOf({ error, exitCode }: Report): string {
  const text = visible((error ?? '').trim().split('\n').at(-1) ?? '').trim();
  if (text !== '') return cut(text, 500);
  return exitCode === null ? 'the job reported a failure without a reason' : `exit code ${exitCode}`;
}

const detailLines = 20;

function tail(log: string): string {
  return cut(log.trimEnd().split('\n').slice(-detailLines).join('\n'), 4_000);
}
