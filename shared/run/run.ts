import { fromIso, type Instant } from '../instant.ts';
import type { ErrorClass, MetricValue } from './attempt.ts';

/** A run is one execution of a job that was expected, for one slot; it has one or more attempts. */

export const activeStates = ['queued', 'starting', 'running', 'retrying'] as const;
/** `skipped` and `missed` never started. */
export const finalStates = ['succeeded', 'failed', 'timed-out', 'cancelled', 'lost', 'skipped', 'missed'] as const;
export const runStates = [...activeStates, ...finalStates] as const;
export type RunState = (typeof runStates)[number];
export type FinalState = (typeof finalStates)[number];

export function isFinal(state: RunState): state is FinalState {
  return (finalStates as readonly string[]).includes(state);
}

/** What called for the run; its letter is part of the run's id. */
const letters = { schedule: '', 'catch-up': 'c', manual: 'm', rerun: 'r', backfill: 'b', replay: 'g' } as const;
export type Trigger = keyof typeof letters;

/** Why a run was skipped or missed, or waits, for machines; `reason` says it in words. */
export type ReasonCode =
  | 'overlap'
  | 'paused'
  | 'outage'
  | 'start-within'
  | 'catch-up-limit'
  | 'decommissioned'
  | 'blackout'
  | 'calendar'
  /** It waits behind a run that waits for the platform. */
  | 'platform';

export interface Person {
  /** Who asked: a user name or e-mail. */
  by: string;
  why: string;
}

export interface Attempt {
  /** Counts from 1. */
  number: number;
  /** `abandoned`: given up before any shim took it; does not count against the job's attempts. */
  state: 'starting' | 'running' | 'succeeded' | 'failed' | 'timed-out' | 'cancelled' | 'lost' | 'abandoned';
  executor: string;
  /** What the executor calls it: a process, a container, an execution. */
  handle: string | null;
  /** When the launcher claimed it; when it was seen to be over. */
  startedAt: Instant;
  endedAt: Instant | null;
  /** The longest it may take from its beginning, ms, fixed when it started: preparation, time limit, grace. */
  limitMs?: number;
  /** Which start claimed it, unlike any other: distinguishes a lost answer from a lost race. */
  starter?: string;
  exitCode: number | null;
  signal: string | null;
  errorClass: ErrorClass | null;
  /** One line for people. */
  error: string | null;
  /** As the result has them (see attempt.ts); absent where the failure has none, and in older rows. */
  errorKind?: string;
  errorParts?: ErrorClass[];
  fingerprint?: string;
  host?: string;
  /** Why no further attempt followed this failure. */
  noRetry?: string;
  /** It ended with exit code 0, and yet its log shows this error, which looks unhandled. */
  suspect?: string;
  cpuMs: number | null;
  peakMemoryBytes: number | null;
  logBytes: number | null;
  /** What exactly it ran; null: not known. */
  versions?: Versions | null;
}

/** What exactly ran; two runs are compared by these. */
export interface Versions {
  /** SHA-256 of the job's bundle, hex. */
  bundle: string;
  /** Commit of the repository the job came from; ends in `+` when the job's folder had uncommitted changes. */
  commit: string | null;
  /** SHA-256 of uv.lock, hex. */
  lock: string | null;
  image: string | null;
  python: string | null;
  /** Secret name → version. */
  secrets: Record<string, string>;
}

/** A file that an attempt was given: what a run of another job has kept. */
export interface RunInput {
  /** Where the script finds it. */
  path: string;
  job: string;
  run: string;
  attempt: number;
  /** The name under which the other job keeps it. */
  output: string;
  sha256: string;
}

export interface RunOutput {
  path: string;
  bytes: number | null;
  sha256: string | null;
  rows: number | null;
  /** There are more rows: `rows` is where reading stopped. */
  partial?: true;
  problem: string | null;
}

/** What was reported of a run while it was under way, once each. */
export type Notice = 'late' | 'overdue' | 'past-finish-by';

export interface Run {
  job: string;
  /** Unique within the job: slot, then kind, e.g. `20261120T070000Z` or `20261120T070312Z.m4f9k`. */
  id: string;
  slot: Instant;
  trigger: Trigger;
  state: RunState;
  /** Why it was skipped, missed, cancelled, or still waits. */
  reason: string | null;
  reasonCode: ReasonCode | null;
  asked: Person | null;
  /** The run that this one repeats. */
  repeats: string | null;
  args: string[];
  createdAt: Instant;
  /** Must have started, must have finished by; null: no such limit. */
  startBy: Instant | null;
  finishBy: Instant | null;
  /** First start and last end of an attempt that began. */
  startedAt: Instant | null;
  endedAt: Instant | null;
  nextAttemptAt: Instant | null;
  cancel: (Person & { at: Instant }) | null;
  attempts: Attempt[];
  /** Of the last attempt, as each attempt has its own. */
  versions: Versions | null;
  inputs: RunInput[];
  metrics: Record<string, MetricValue>;
  outputs: RunOutput[];
  /** Things to look at that did not fail the run: late, too short, a metric out of bounds… */
  warnings: string[];
  notices: Notice[];
  /** How many slots this row stands for: 1, or more for a long outage that is reported in one row. */
  slots: number;
}

/** Formats a slot for ids: `20261120T070000Z`; milliseconds only where there are any. */
function stamp(slot: Instant): string {
  const digits = new Date(slot).toISOString().replace(/[-:]/g, '');
  return digits.replace('.000Z', 'Z').replace('.', '-');
}

/**
 * The id of the run that a slot and a trigger call for. Scheduled, catch-up and backfilled runs get the same id every
 * time, so that claiming them twice collides; for the others `unique` sets them apart.
 */
export function runId(slot: Instant, trigger: Trigger, unique = ''): string {
  const kind = letters[trigger] + unique;
  return kind === '' ? stamp(slot) : `${stamp(slot)}.${kind}`;
}

const idPattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?:-(\d{3}))?Z(?:\.([cmrbg])([a-z0-9]*))?$/;

/** Reads a run id back; undefined when the text is none. */
export function parseRunId(id: string): { slot: Instant; trigger: Trigger } | undefined {
  const parts = idPattern.exec(id);
  if (!parts) return undefined;
  const [, year, month, date, hours, minutes, seconds, ms = '000', letter = ''] = parts;
  const trigger = (Object.keys(letters) as Trigger[]).find((name) => letters[name] === letter);
  try {
    const slot = fromIso(`${year}-${month}-${date}T${hours}:${minutes}:${seconds}.${ms}Z`);
    return trigger && { slot, trigger };
  } catch {
    return undefined;
  }
}

/** On frozen inputs, by the service itself: it fills no slot, and counts in nothing but its own table. */
export function isReplay(run: { trigger: Trigger } | { id: string }): boolean {
  return ('trigger' in run ? run.trigger : parseRunId(run.id)?.trigger) === 'replay';
}

/** How people and the CLI name a run: `score-prospects.20261120T070000Z`. */
export function runName(run: { job: string; id: string }): string {
  return `${run.job}.${run.id}`;
}

/** Splits {@link runName}; undefined when the text names no run. */
export function parseRunName(name: string): { job: string; id: string } | undefined {
  const dot = name.indexOf('.');
  if (dot < 1) return undefined;
  const [job, id] = [name.slice(0, dot), name.slice(dot + 1)];
  return parseRunId(id) ? { job, id } : undefined;
}

/** The attempt that is under way or was the last. */
export function currentAttempt(run: Run): Attempt | undefined {
  return run.attempts.at(-1);
}

/** Whether an attempt of it was made; the others were skipped, missed, or cancelled while they waited. */
export function isBegun(run: Run): boolean {
  return run.attempts.length > 0;
}

/** Attempts that count against the job's limit: those that a shim began. */
export function attemptsBegun(run: Run): number {
  return run.attempts.filter((attempt) => attempt.state !== 'abandoned').length;
}

/** An attempt as it is when it is claimed. @param now when the launcher claims it */
export function newAttempt(number: number, executor: string, now: Instant, more: Partial<Attempt> = {}): Attempt {
  return {
    number,
    state: 'starting',
    executor,
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
    ...more,
  };
}

export function newRun(job: string, slot: Instant, trigger: Trigger, now: Instant, more: Partial<Run> = {}): Run {
  return {
    job,
    id: runId(slot, trigger),
    slot,
    trigger,
    state: 'queued',
    reason: null,
    reasonCode: null,
    asked: null,
    repeats: null,
    args: [],
    createdAt: now,
    startBy: null,
    finishBy: null,
    startedAt: null,
    endedAt: null,
    nextAttemptAt: null,
    cancel: null,
    attempts: [],
    versions: null,
    inputs: [],
    metrics: {},
    outputs: [],
    warnings: [],
    notices: [],
    slots: 1,
    ...more,
  };
}
