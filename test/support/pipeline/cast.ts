import { createHash } from 'node:crypto';
import type { Instant } from '../../../shared/instant.ts';
import type { Catalog, Deployed } from '../../../shared/job/catalog.ts';
import type { Job } from '../../../shared/job/job.ts';
import { readManifest } from '../../../shared/manifest/reading.ts';
import { toJob } from '../../../shared/manifest/to-job.ts';
import { newRun, type Run } from '../../../shared/run/run.ts';

/** The instant that all tests count from: a Friday, seven o'clock in London, which is on UTC then. */
export const seven: Instant = Date.UTC(2026, 10, 20, 7);

const head = `description: Scores yesterday's prospects.
owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
`;

/** What a test may say of a job: the flow mappings of its manifest. */
export interface Lines {
  schedule?: string;
  run?: string;
  retry?: string;
  more?: string;
}

/** A job as its manifest says, read and checked as always. @param run more of the `run` mapping. */
export function job(name: string, { schedule, run = '', retry, more = '' }: Lines = {}): Job {
  const lines = [
    ...(schedule === undefined ? [] : [`schedule: ${schedule}`]),
    `run: { command: [python, main.py]${run && `, ${run}`} }`,
    ...(retry === undefined ? [] : [`retry: { ${retry} }`]),
    more,
  ];
  const { manifest, problems } = readManifest(Buffer.from(head + lines.join('\n')), 'job.yaml');
  if (!manifest) throw new Error(`the cast has a broken job ${name}: ${JSON.stringify(problems)}`);
  return toJob(manifest, { name, folder: `/jobs/${name}`, locked: false, env: {} });
}

/** As deployed; `code` stands for all of its files. */
export function deployed(job: Job, code = 'print(1)'): Deployed {
  const zip = Buffer.from(`${job.name} ${code}`);
  const bundle = createHash('sha256').update(zip).digest('hex');
  return { job, bundle, lock: null, commit: null, zip: async () => zip };
}

export function catalogOf(...jobs: Job[]): Catalog {
  return new Map(jobs.map((one) => [one.name, deployed(one)]));
}

export const hourly = '{ cron: "0 * * * *", timeZone: UTC }';
export const everyMinute = '{ cron: "* * * * *", timeZone: UTC }';

/** A run with one attempt under way. */
export function started(name = 'score', more: Partial<Run> = {}): Run {
  const attempt: Run['attempts'][number] = {
    number: 1,
    state: 'running',
    executor: 'fake',
    handle: 'h1',
    startedAt: seven,
    endedAt: null,
    exitCode: null,
    signal: null,
    errorClass: null,
    error: null,
    cpuMs: null,
    peakMemoryBytes: null,
    logBytes: null,
  };
  return newRun(name, seven, 'schedule', seven, { state: 'running', attempts: [attempt], ...more });
}
