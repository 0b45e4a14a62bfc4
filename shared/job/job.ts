import type { Manifest } from '../manifest/manifest.ts';
import type { ErrorClass } from '../run/attempt.ts';
import { parseSchedule, type Schedule } from '../schedule/schedule.ts';
import { parseDuration } from './duration.ts';
import { parseSize } from './size.ts';

/** A checked job: what its manifest says, with times in milliseconds and sizes in bytes. */
export interface Job {
  /** Name of its folder. */
  name: string;
  /** Absolute path. */
  folder: string;
  description: string;
  owner: { email: string; department: string; successor?: string };
  tier: Manifest['tier'];
  data: Manifest['data'];
  builtWith?: { tool: string; version: string };
  status: Manifest['status'];
  /** Empty: run by hand only. */
  schedules: JobSchedule[];
  command: string[];
  python: string | null;
  env: Record<string, string>;
  /** Environment variable → name in the vault. */
  secrets: Record<string, string>;
  timeoutMs: number;
  graceMs: number;
  minDurationMs: number | null;
  overlap: Manifest['run']['overlap'];
  /** Runs of this job at once, under `allow` and in a backfill. */
  concurrency: number;
  cpu: number;
  memoryBytes: number;
  /** In a container: room for files, part of the memory; processes and threads; network. */
  scratchBytes: number;
  pids: number;
  network: Manifest['run']['network'];
  /** Null: the one that the host was started with. */
  executor: NonNullable<Manifest['run']['executor']> | null;
  retry: {
    /** In all, the first included. */
    attempts: number;
    backoff: 'constant' | 'exponential';
    delayMs: number;
    maxDelayMs: number;
    on: readonly ErrorClass[];
  };
  inputs: { path: string; job: string; output: string }[];
  outputs: string[];
  metrics: Record<string, { min?: number; max?: number; drift: 'off' | 'low' | 'normal' | 'high' }>;
  alerts: { teams?: string; slack?: string; email: string[] };
  logLimitBytes: number;
  /** The folder holds a uv.lock. */
  locked: boolean;
}

export interface JobSchedule {
  schedule: Schedule;
  catchUp: 'latest' | 'all' | 'none';
  /** Most slots that `catchUp: all` runs. */
  catchUpLimit: number;
  mustStartWithinMs: number | null;
  /** Local time of the schedule's zone, `07:45`. */
  mustFinishBy: string | null;
}

/** Where the job is, and what a manifest cannot say itself. */
export interface JobFacts {
  name: string;
  folder: string;
  locked: boolean;
  /** Environment values as they were typed, so that `1.10` does not become 1.1. */
  env: Record<string, string>;
}

/** Builds the job from a manifest that passed every check. @throws ScheduleError for a schedule that was not checked. */
export function toJob(manifest: Manifest, facts: JobFacts): Job {
  const { owner, run, retry, alerts, builtWith } = manifest;
  const schedules = manifest.schedule === undefined ? [] : [manifest.schedule].flat();
  return {
    ...facts,
    description: manifest.description,
    owner: { email: owner.email, department: owner.department, ...(owner.successor && { successor: owner.successor }) },
    tier: manifest.tier,
    data: manifest.data,
    ...(builtWith && { builtWith }),
    status: manifest.status,
    schedules: schedules.map((one) => ({
      schedule: parseSchedule(one.cron, one.timeZone),
      catchUp: one.catchUp,
      catchUpLimit: one.catchUpLimit,
      mustStartWithinMs: one.mustStartWithin === undefined ? null : ms(one.mustStartWithin),
      mustFinishBy: one.mustFinishBy ?? null,
    })),
    command: run.command,
    python: run.python ?? null,
    secrets: manifest.secrets,
    timeoutMs: ms(run.timeout),
    graceMs: ms(run.grace),
    minDurationMs: run.mustRunAtLeast === undefined ? null : ms(run.mustRunAtLeast),
    overlap: run.overlap,
    concurrency: run.concurrency ?? (run.overlap === 'allow' ? 10 : 1),
    cpu: run.cpu,
    memoryBytes: bytes(run.memory),
    scratchBytes: run.scratch === undefined ? scratchOf(bytes(run.memory)) : bytes(run.scratch),
    pids: run.pids,
    network: run.network,
    executor: run.executor ?? null,
    retry: {
      attempts: retry.attempts,
      backoff: retry.backoff,
      delayMs: ms(retry.delay),
      maxDelayMs: ms(retry.maxDelay),
      on: retry.on,
    },
    inputs: manifest.inputs.map(parseInput),
    outputs: manifest.outputs,
    metrics: Object.fromEntries(
      Object.entries(manifest.metrics).map(([name, { min, max, drift }]) => [
        name,
        { ...(min !== undefined && { min }), ...(max !== undefined && { max }), drift },
      ]),
    ),
    alerts: {
      ...(alerts.teams && { teams: alerts.teams }),
      ...(alerts.slack && { slack: alerts.slack }),
      email: alerts.email,
    },
    logLimitBytes: bytes(run.logLimit),
  };
}

function scratchOf(memoryBytes: number): number {
  return Math.min(512 * 1024 ** 2, Math.floor(memoryBytes / 2));
}

/** `pull-prospects/out/prospects.csv` → the job, its output, and the base name under which the file is placed. */
export function parseInput(text: string): { path: string; job: string; output: string } {
  const slash = text.indexOf('/');
  const output = text.slice(slash + 1);
  return { path: output.slice(output.lastIndexOf('/') + 1), job: text.slice(0, slash), output };
}

function ms(text: string): number {
  return parseDuration(text) ?? unchecked(text);
}

function bytes(text: string): number {
  return parseSize(text) ?? unchecked(text);
}

function unchecked(text: string): never {
  throw new TypeError(`"${text}" passed the manifest's checks but cannot be read: field and parser disagree`);
}
