import { setTimeout as sleep } from 'node:timers/promises';
import type { JobExecutionTemplate } from '@azure/arm-appcontainers';
import { start as startJob, stopExecution } from '@azure/arm-appcontainers/api/jobs';
import type { TokenCredential } from '@azure/identity';
import { armClient, type Transport } from '../../clients/management.ts';
import { troubleText } from '../../events.ts';
import { minute } from '../../instant.ts';
import type { Job } from '../../job/job.ts';
import type { AttemptSpec } from '../../run/attempt.ts';
import { type AttemptRef, type Executor, StartError } from '../executor.ts';
import { explain, isConflict, isMissing, lostStart, refusal } from './error.ts';
import { type ArmJob, getExecution, searchExecution, statusOf } from './execution.ts';
import { containerAppsJobName } from './names.ts';
import { attemptMark, executionTemplate } from './template.ts';

export interface ContainerAppsOptions {
  credential: TokenCredential;
  subscription: string;
  resourceGroup: string;
  /** What the names of the Container Apps Jobs begin with; see containerAppsJobName. */
  prefix: string;
  /** What jobs run in: `registry/name@sha256:…`. */
  image: string;
  /** The job's size and secrets; undefined: not deployed. */
  jobs: (name: string) => Job | undefined;
  /** Stores the specification and gives the address at which the shim reads it once. */
  ticket: (spec: AttemptSpec) => Promise<string>;
  /** Of Azure's management, for other clouds. */
  endpoint?: string;
  transport?: Transport;
  /** A request that takes longer is given up, ms. */
  patienceMs?: number;
  /** Pauses before each look for an execution whose start had no clear answer, ms. */
  looksMs?: readonly number[];
}

/**
 * Runs each attempt as an execution of the job's own Container Apps Job. A start is one request to Azure, never two:
 * where the answer leaves open whether it happened, the execution is looked for by its mark. Starting an attempt again
 * does not look first, which would cost every start a reading of the history: the launcher does so at no time, and the
 * second shim leaves within a second of its container's start.
 */
export function containerAppsExecutor(options: ContainerAppsOptions): Executor {
  const { resourceGroup: group, prefix, image, patienceMs = minute, looksMs = [1_000, 3_000, 6_000, 10_000] } = options;
  const endpoint = options.endpoint ?? 'https://management.azure.com';
  const arm = armClient({ ...options, endpoint, patienceMs });

  const armJob = (job: string): ArmJob => ({ arm, group, name: containerAppsJobName(prefix, job) });

  /**
   * One request. @returns the execution's name where Azure says it: the specification promises no more than a 202.
   * @throws RestError, AbortError: it was refused, or may have been done
   */
  async function post({ name }: ArmJob, template: JobExecutionTemplate): Promise<string | undefined> {
    let answer: { status: number; body: unknown } | undefined;
    const poller = startJob(arm, group, name, {
      template,
      onResponse({ status, parsedBody }) {
        answer = { status, body: parsedBody };
      },
    });
    try {
      // Waiting for the end of the operation would cost seconds, and a right to read its state.
      await poller.submitted();
    } catch (error) {
      // The SDK stumbles over a success without body.
      if (answer === undefined || answer.status >= 300) throw error;
    }
    const reported = (answer?.body as { name?: unknown } | null | undefined)?.name;
    return typeof reported === 'string' && reported !== '' ? reported : undefined;
  }

  async function lookFor(job: ArmJob, mark: string, lost: unknown): Promise<string> {
    let trouble: unknown;
    for (const pause of looksMs) {
      await sleep(pause);
      try {
        const found = await searchExecution(job, mark);
        if (found?.name) return found.name;
        trouble = undefined;
      } catch (error) {
        trouble = error;
      }
    }
    // The launcher takes the attempt away now: should it have been started all the same, its shim finds that and leaves.
    throw lostStart(lost, looksMs.length, trouble);
  }

  async function find(attempt: AttemptRef) {
    const job = armJob(attempt.job);
    const name = nameIn(attempt);
    return name ? getExecution(job, name) : searchExecution(job, attemptMark(attempt));
  }

  async function ask<T>(what: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw new Error(`Azure was asked ${what} and did not answer it (${explain(error)})`);
    }
  }

  return {
    name: 'container-apps',
    // Usual is half a minute, with a cold image or a full environment some more; single starts took 7 to 25 minutes
    // (azure-container-apps, issues 1800, 874, 1763). Giving up sooner would put a second execution behind the first,
    // in want of the same node.
    startGraceMs: 10 * minute,
    needsSecretValues: false,
    image: image.slice(image.indexOf('@') + 1),
    async start(spec) {
      const job = options.jobs(spec.job);
      if (!job) throw new StartError('configuration', `the job ${spec.job} is not deployed here`);
      const target = armJob(spec.job);
      const mark = attemptMark(spec);
      const template = executionTemplate(spec, job, image, await options.ticket(spec).catch(unstored));
      try {
        // The mark finds it as well; reading the history for its name would cost a request at every start.
        return (await post(target, template)) ?? mark;
      } catch (error) {
        const refused = refusal(error, { name: target.name, group, endpoint });
        if (refused) throw refused;
        return lookFor(target, mark, error);
      }
    },
    async status(attempt) {
      const found = await ask(`about ${attemptMark(attempt)}`, find(attempt));
      return found ? statusOf(found) : 'unknown';
    },
    async stop(attempt) {
      const { name } = armJob(attempt.job);
      const what = `to stop ${attemptMark(attempt)}`;
      const execution = nameIn(attempt) ?? (await ask(what, find(attempt)))?.name;
      if (!execution) return;
      try {
        await stopExecution(arm, group, name, execution).submitted();
      } catch (error) {
        if (isMissing(error)) return;
        // What Azure answers where it is over already is written nowhere.
        if (isConflict(error)) {
          const found = await ask(what, getExecution(armJob(attempt.job), execution));
          if (!found || statusOf(found) !== 'running') return;
        }
        await ask(what, Promise.reject(error));
      }
    },
  };
}

function unstored(error: unknown): never {
  throw new StartError('infrastructure', `its specification could not be stored: ${troubleText(error)}`, error);
}

/** The execution's name, where the start reported one. */
function nameIn({ handle }: AttemptRef): string | undefined {
  return handle === null || handle.includes('/') ? undefined : handle;
}
