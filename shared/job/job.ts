import type { Closed } from '../schedule/calendar.ts';
import { parseSchedule, type Schedule } from '../schedule/schedule.ts';
import type { ErrorClass } from './error-class.ts';

/** What a job may be; the manifest takes its words from here. */
export const tiers = ['critical', 'standard', 'low-risk'] as const;
export const dataClasses = ['public', 'internal', 'confidential', 'regulated'] as const;
export const statuses = ['development', 'production', 'decommissioned'] as const;
export const catchUps = ['latest', 'all', 'none'] as const;
export const overlapPolicies = ['forbid', 'queue', 'replace', 'allow'] as const;
export const networks = ['none', 'bridge', 'host'] as const;
export const localExecutors = ['process', 'docker'] as const;
export const backoffs = ['constant', 'exponential'] as const;
export const sensitivities = ['off', 'low', 'normal', 'high'] as const;

export type Tier = (typeof tiers)[number];
export type DataClass = (typeof dataClasses)[number];
export type Status = (typeof statuses)[number];
export type CatchUp = (typeof catchUps)[number];
export type OverlapPolicy = (typeof overlapPolicies)[number];
export type Network = (typeof networks)[number];
export type LocalExecutor = (typeof localExecutors)[number];
export type Backoff = (typeof backoffs)[number];
export type Sensitivity = (typeof sensitivities)[number];

/** A checked job: what its manifest says, with times in milliseconds and sizes in bytes. */
export interface Job {
  /** Name of its folder. */
  name: string;
  /** Absolute path. */
  folder: string;
  description: string;
  owner: { email: string; department: string; successor?: string };
  tier: Tier;
  data: DataClass;
  builtWith?: { tool: string; version: string };
  status: Status;
  /** It runs elsewhere and reports its runs by pings: nothing of it is launched here. */
  external: boolean;
  /** Empty: run by hand only. */
  schedules: JobSchedule[];
  /** When slots are not expected although a schedule names them. */
  closed: Closed;
  command: string[];
  python: string | null;
  env: Record<string, string>;
  /** Environment variable → name in the vault. */
  secrets: Record<string, string>;
  timeoutMs: number;
  graceMs: number;
  minDurationMs: number | null;
  /** How it runs on the frozen examples in golden/, side effects off; null: as always, with JOB_REPLAY=1. */
  replay: Replaying | null;
  overlap: OverlapPolicy;
  /** Runs of this job at once, under `allow` and in a backfill. */
  concurrency: number;
  cpu: number;
  memoryBytes: number;
  /** In a container: room for files, part of the memory; processes and threads; network. */
  scratchBytes: number;
  pids: number;
  network: Network;
  /** Null: the one that the host was started with. */
  executor: LocalExecutor | null;
  retry: {
    /** In all, the first included. */
    attempts: number;
    backoff: Backoff;
    delayMs: number;
    maxDelayMs: number;
    on: readonly ErrorClass[];
  };
  inputs: { path: string; job: string; output: string }[];
  outputs: string[];
  metrics: Record<string, MetricLimits>;
  alerts: { teams?: string; slack?: string; email: string[]; receipts: 'never' | 'each' | 'weekly' };
  logLimitBytes: number;
  /** The folder holds a uv.lock. */
  locked: boolean;
}

/** How replays run. */
export interface Replaying {
  command: string[];
  /** Of one example. */
  timeoutMs: number;
  /** Environment variables of secrets that replays get too; none unless named. */
  secrets: string[];
  /** In a container; left out: none, unless packages must be fetched. */
  network?: 'none' | 'bridge';
  /** What replays of the service may cost, as a share of the job's own container time; 0: only on a change or a finding. */
  share: number;
}

/** What the owner declares of a metric. */
export interface MetricLimits {
  min?: number;
  max?: number;
  /** Of counts by category: the only categories there may be. */
  values?: string[];
  /** It must be there; left out: it must be when anything else is declared of it. */
  required?: boolean;
  drift: Sensitivity;
  /** Only a change in this direction is a finding; left out: both. */
  direction?: 'up' | 'down';
}

export interface JobSchedule {
  schedule: Schedule;
  catchUp: CatchUp;
  /** Most slots that `catchUp: all` runs. */
  catchUpLimit: number;
  mustStartWithinMs: number | null;
  /** Local time of the schedule's zone, `07:45`. */
  mustFinishBy: string | null;
  /** What its runs get after the job's command. */
  args: string[];
}

/** A schedule as text, for a row or a file, so that a later version can still say what was expected before it. */
export type ScheduleText = Omit<JobSchedule, 'schedule' | 'args'> & { cron: string; timeZone: string; args?: string[] };

export function scheduleText({ schedule: { cron, timeZone }, args, ...policy }: JobSchedule): ScheduleText {
  return { cron, timeZone, ...policy, ...(args.length > 0 && { args }) };
}

/** @throws ScheduleError when the text is no schedule of this version */
export function readScheduleText({ cron, timeZone, args = [], ...policy }: ScheduleText): JobSchedule {
  return { schedule: parseSchedule(cron, timeZone), ...policy, args };
}

/** `pull-prospects/out/prospects.csv` → the job, its output, and the base name under which the file is placed. */
export function parseInput(text: string): { path: string; job: string; output: string } {
  const slash = text.indexOf('/');
  const output = text.slice(slash + 1);
  return { path: output.slice(output.lastIndexOf('/') + 1), job: text.slice(0, slash), output };
}
