import { StartError } from '../executors/executor.ts';
import { hour, type Instant, iso, minute } from '../instant.ts';
import type { Deployed } from '../job/catalog.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import type { AttemptSpec } from '../run/attempt.ts';
import { isReplay, type Run, type Versions } from '../run/run.ts';
import { SecretError } from '../secrets/vault.ts';

/** How long a shim goes on trying to deliver when storage is unavailable. */
export const deliverMs = hour;
const heartbeatMs = 20_000;
/** Fetching a Python and packages comes before the time limit begins; the shim allows uv this long. */
const preparation = 15 * minute;
/** Slack for the clocks of two machines, and for a start that takes its time. */
const slackMs = hour;

/** How long an attempt may take from its beginning, ms: preparation, time limit and grace. */
export function longestAttempt({ locked, python, timeoutMs, graceMs }: Job): number {
  return (locked || python !== null ? preparation : 0) + timeoutMs + graceMs;
}

/** The environment variables and versions of a job's secrets. @throws StartError */
export async function readSecrets({ vault, executor }: Parts, job: Job) {
  const values: Record<string, string | null> = {};
  const versions: Record<string, string> = {};
  for (const [variable, name] of Object.entries(job.secrets)) {
    try {
      if (executor.needsSecretValues) {
        const { value, version } = await vault.read(name);
        values[variable] = value;
        versions[name] = version;
      } else {
        values[variable] = null;
        versions[name] = (await vault.version(name)).version;
      }
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      const kind = error.passing ? 'infrastructure' : error.trouble === 'forbidden' ? 'authorization' : 'configuration';
      throw new StartError(kind, `secret ${name} for ${variable}: ${error.message}`, error);
    }
  }
  return { values, versions };
}

/** Everything the shim needs to run this attempt. */
export async function attemptSpec(
  parts: Parts,
  { job, bundle, lock }: Deployed,
  run: Run,
  attempt: number,
  secrets: Record<string, string | null>,
  now: Instant,
): Promise<AttemptSpec> {
  const { store, settings } = parts;
  const until = now + job.timeoutMs + job.graceMs + deliverMs + slackMs;
  const id = { job: job.name, run: run.id, attempt };
  const [{ blobs, outputs }, url, inputs, nudge] = await Promise.all([
    store.attempts.urls(id, job.outputs, until),
    store.bundles.url(bundle, until),
    addressed(parts, run, until),
    settings.nudges.url(id),
  ]);
  return {
    version: 1,
    ...id,
    scheduledFor: iso(run.slot),
    command: isReplay(run) ? job.command : [...job.command, ...run.args],
    python: job.python,
    env: job.env,
    secrets,
    bundle: { digest: bundle, url, locked: lock !== null },
    inputs,
    outputs,
    timeoutMs: job.timeoutMs,
    graceMs: job.graceMs,
    logLimitBytes: job.logLimitBytes,
    heartbeatMs,
    deliverMs,
    blobs,
    nudge,
    cache: settings.cache,
  };
}

async function addressed({ store }: Parts, { inputs }: Run, until: Instant): Promise<AttemptSpec['inputs']> {
  const urls = await Promise.all(inputs.map((input) => store.attempts.outputUrl(input, input.output, until)));
  return inputs.map(({ path, sha256 }, at) => ({ path, url: urls[at] ?? '', sha256 }));
}

export function stampVersions(
  parts: Parts,
  { bundle, lock, commit }: Deployed,
  secrets: Versions['secrets'],
): Versions {
  return { bundle, commit, lock, image: parts.executor.image, python: null, secrets };
}
