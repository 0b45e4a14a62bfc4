import { parseDuration } from '../job/duration.ts';
import { type Job, parseInput } from '../job/job.ts';
import { parseSize } from '../job/size.ts';
import { pingPatience } from '../run/outside.ts';
import { type Closed, open } from '../schedule/calendar.ts';
import { parseSchedule } from '../schedule/schedule.ts';
import type { Manifest } from './manifest.ts';

/** Where the job is, and what a manifest cannot say itself. */
export interface JobFacts {
  name: string;
  folder: string;
  locked: boolean;
  /** Environment values as they were typed, so that `1.10` does not become 1.1. */
  env: Record<string, string>;
  /** Left out: every slot is expected. */
  closed?: Closed;
}

/** Builds the job from a manifest that passed every check. @throws ScheduleError for a schedule that was not checked. */
export function toJob(manifest: Manifest, facts: JobFacts): Job {
  const { owner, run, retry, alerts, builtWith } = manifest;
  const schedules = manifest.schedule === undefined ? [] : [manifest.schedule].flat();
  return {
    ...facts,
    closed: facts.closed ?? open,
    description: manifest.description,
    owner: { email: owner.email, department: owner.department, ...(owner.successor && { successor: owner.successor }) },
    tier: manifest.tier,
    data: manifest.data,
    ...(builtWith && { builtWith }),
    status: manifest.status,
    external: manifest.external,
    schedules: schedules.map((one) => ({
      schedule: parseSchedule(one.cron, one.timeZone),
      catchUp: one.catchUp,
      catchUpLimit: one.catchUpLimit,
      mustStartWithinMs:
        one.mustStartWithin === undefined ? (manifest.external ? pingPatience : null) : ms(one.mustStartWithin),
      mustFinishBy: one.mustFinishBy ?? null,
      args: one.args,
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
    replay: manifest.replay ? replaying(manifest.replay) : null,
    inputs: manifest.inputs.map(parseInput),
    outputs: manifest.outputs,
    metrics: Object.fromEntries(
      Object.entries(manifest.metrics).map(([name, { min, max, values, required, drift, direction }]) => [
        name,
        {
          ...(min !== undefined && { min }),
          ...(max !== undefined && { max }),
          ...(values !== undefined && { values }),
          ...(required !== undefined && { required }),
          drift,
          ...(direction !== 'both' && { direction }),
        },
      ]),
    ),
    alerts: {
      ...(alerts.teams && { teams: alerts.teams }),
      ...(alerts.slack && { slack: alerts.slack }),
      email: alerts.email,
      receipts: alerts.receipts,
    },
    logLimitBytes: bytes(run.logLimit),
  };
}

function replaying(replay: NonNullable<Manifest['replay']>): Job['replay'] {
  const { command, secrets, network, share } = replay;
  return { command, timeoutMs: ms(replay.timeout), secrets, ...(network && { network }), share };
}

function scratchOf(memoryBytes: number): number {
  return Math.min(512 * 1024 ** 2, Math.floor(memoryBytes / 2));
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
