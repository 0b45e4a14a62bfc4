import { onTestFinished } from 'vitest';
import {
  type ContainerAppsOptions,
  containerAppsExecutor,
} from '../../../shared/executors/container-apps/container-apps.ts';
import type { Job } from '../../../shared/job/job.ts';
import { attemptSpec } from '../../../shared/run/attempt.ts';
import { job } from '../pipeline/cast.ts';
import { Arm } from './arm.ts';
import type { Runner } from './arm-execution.ts';
import { handRunner } from './arm-runner.ts';

export const image = `lamp.azurecr.io/lamplighter-runtime@sha256:${'0a'.repeat(32)}`;
export const ticket = 'https://lamp.blob.core.windows.net/runs/x/spec.json?sv=2026&sig=worth-a-job';

/** The job `score`, deployed with what it needs. */
export const score: Job = job('score', { more: 'secrets: { CRM_API_KEY: CRM-api-key, DB: warehouse }' });

/** An executor over an Azure of its own, in which `score` is deployed; closed after the test. */
export async function scene<R extends Runner>(over: Partial<ContainerAppsOptions>, runner: R) {
  const arm = await Arm.open(runner, { 'lamp-score': { 'crm-api-key': 'key-of-crm', warehouse: 'password' } });
  onTestFinished(() => arm.close());
  const executor = containerAppsExecutor({
    ...arm.access,
    prefix: 'lamp',
    image,
    jobs: (name) => (name === 'score' ? score : undefined),
    ticket: async () => ticket,
    looksMs: [0, 5, 10],
    ...over,
  });
  return { arm, executor, runner };
}

export const byHand = (over: Partial<ContainerAppsOptions> = {}) => scene(over, handRunner());

/** An attempt of `score`; what only the shim reads of it is empty. */
export function spec(attempt = 1) {
  const url = 'https://lamp.blob.core.windows.net/runs/x';
  return attemptSpec.parse({
    version: 1,
    job: 'score',
    run: '20261120T070000Z',
    attempt,
    scheduledFor: '2026-11-20T07:00:00Z',
    command: ['python', 'main.py'],
    python: null,
    env: { CRM_URL: 'https://crm.contoso.com' },
    secrets: { CRM_API_KEY: null, DB: null },
    bundle: { digest: '0', url, locked: false },
    inputs: [],
    outputs: [],
    timeoutMs: 1_000,
    graceMs: 0,
    logLimitBytes: 1,
    heartbeatMs: 1,
    deliverMs: 0,
    blobs: { started: url, heartbeat: url, log: url, result: url },
    nudge: null,
    cache: null,
  });
}

/** The same attempt, as the watch asks about it. */
export const attemptRef = (handle: string | null, attempt = 1) => ({ ...spec(attempt), handle });
