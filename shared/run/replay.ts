import { hour } from '../instant.ts';
import type { Deployed } from '../job/catalog.ts';
import type { Job } from '../job/job.ts';
import { isReplay, type Run } from './run.ts';

/** The word by which a shim knows a replay: one that does not know it fails, and runs nothing. See replay.py. */
const word = 'lamplighter-replay';
/** What a replay leaves, as an output of the attempt. */
export const replayReport = 'lamplighter-replay.txt';
/** After this many examples that do not end in time the others are not tried. */
const stopAfter = 3;
const longest = 6 * hour;

/** What a run runs: the job as it is, or what a replay makes of it. */
export function forRun(deployed: Deployed, run: Pick<Run, 'id' | 'trigger' | 'args'>): Deployed {
  return isReplay(run) ? { ...deployed, job: replayJob(deployed, repeatsIn(run)) } : deployed;
}

/** @param args of the run of a replay: why it is done, and how many times each example is run */
function repeatsIn({ args }: Pick<Run, 'args'>): number {
  return Math.max(Number(args[1]) || 1, 1);
}

/**
 * The job on its frozen examples: one attempt runs all of them, with side effects off: no secret but those that
 * `replay.secrets` names, no network in a container, nothing of other jobs, nothing that counts as a metric.
 */
export function replayJob({ job, golden }: Deployed, repeats = 1): Job {
  const { replay } = job;
  const { command, timeoutMs, network, secrets = [] } = replay ?? { command: job.command, timeoutMs: job.timeoutMs };
  const examples = golden?.examples ?? [];
  const config = { command, examples, repeats, outputs: job.outputs, timeoutMs, stopAfter };
  // Packages are fetched by the container that runs them.
  const fetches = job.locked || job.python !== null;
  return {
    ...job,
    command: [word, JSON.stringify(config)],
    env: { ...job.env, JOB_REPLAY: '1' },
    secrets: Object.fromEntries(Object.entries(job.secrets).filter(([variable]) => secrets.includes(variable))),
    timeoutMs: Math.min(timeoutMs * Math.max(examples.length * repeats, 1), longest),
    minDurationMs: null,
    network: network ?? (fetches && job.network !== 'none' ? 'bridge' : 'none'),
    retry: { ...job.retry, attempts: 2, on: ['lost', 'infrastructure'] },
    inputs: [],
    outputs: [replayReport],
    metrics: {},
  };
}
