import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build, type PluginBuild } from 'esbuild';
import { alertsFile } from '../../functions/alerts.ts';
import { bundlePath, jobsFile, type PackedJobs, packJob } from '../../functions/catalog.ts';
import { type AlertSettings, noAlerts, secretsOf } from '../../shared/alerts/settings.ts';
import { containerAppsJobName, containerAppsSecretName } from '../../shared/executors/container-apps/names.ts';
import { containerSize } from '../../shared/executors/container-apps/size.ts';
import { hour, second } from '../../shared/instant.ts';
import type { Catalog } from '../../shared/job/catalog.ts';
import type { Job } from '../../shared/job/job.ts';
import { english } from '../english.ts';
import { Refusal } from '../refusal.ts';
import { inAzure, indexLimit, type Limit, limitsOf } from './limits.ts';
import { programRoot } from './root.ts';

export interface PackageOptions {
  catalog: Catalog;
  /** What the names of the Container Apps Jobs begin with. */
  prefix: string;
  /** Folder of the package; what is there is replaced. */
  out: string;
  /** Where infra/ finds the list of jobs. */
  index: string;
  /** What alerts.yaml says; left out: nothing is sent. */
  alerts?: AlertSettings;
}

/** Fetching a Python and packages, storage that is unavailable, clocks that differ: all beyond a job's own time limit. */
const aroundMs = 2 * hour;

/**
 * Makes what `func azure functionapp publish --no-build` takes, and the list of jobs that infra/ deploys. Nothing is
 * installed or built in Azure, and no manifest is read when the app starts.
 * @throws Refusal when a job cannot run in Container Apps
 */
export async function makePackage({ catalog, prefix, out, index, alerts = noAlerts }: PackageOptions): Promise<void> {
  const jobs = [...catalog.values()];
  const indexText = packedIndex(
    prefix,
    jobs.map(({ job }) => job),
    alerts,
  );
  const fresh = `${out}.${process.pid}`;
  await mkdir(join(fresh, 'bundles'), { recursive: true });
  try {
    await bundleApp(fresh);
    for (const { bundle, zip } of jobs) await writeFile(join(fresh, bundlePath(bundle)), await zip());
    const made = catalog.package?.made ?? Date.now();
    await writeJson(join(fresh, jobsFile), { made, jobs: jobs.map(packJob) } satisfies PackedJobs);
    await writeJson(join(fresh, alertsFile), alerts);
    await copyFile(join(programRoot, 'host.json'), join(fresh, 'host.json'));
    await writeJson(join(fresh, 'package.json'), { name: 'lamplighter-app', private: true, main: 'index.js' });
    await rm(out, { recursive: true, force: true });
    await rename(fresh, out);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  await writeFile(index, indexText);
}

/**
 * The files of the package, by what they are made from. `index` registers the functions and nothing else, which is
 * quick and cannot fail; `handlers` is read by the first call; telemetry, the largest, when there is something to send;
 * the packages at the end for a finding, when a mail goes out by SMTP, or not at all.
 */
const files = {
  index: './functions/index.ts',
  handlers: './functions/handlers.ts',
  sender: './shared/telemetry/sender.ts',
  yaml: 'yaml',
  nodemailer: 'nodemailer',
  'apache-arrow': 'apache-arrow',
};

async function bundleApp(outdir: string): Promise<void> {
  await build({
    absWorkingDir: programRoot,
    entryPoints: files,
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    // The modules that packages have for bundlers: what is not used can be left out of them.
    mainFields: ['module', 'main'],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'error',
    // cron-parser would bring the same once more, in another form.
    alias: { luxon: join(programRoot, 'node_modules', 'luxon', 'src', 'luxon.js') },
    define: { 'import.meta.dirname': '__dirname' },
    // Not a package: the worker itself gives it.
    external: ['@azure/functions-core'],
    plugins: [{ name: 'files', setup: apart }, english],
  });
}

/** What is imported late is read late: each of the files stays one. */
function apart({ onResolve }: PluginBuild): void {
  onResolve({ filter: /./ }, ({ path, kind }) => {
    const name = basename(path, '.ts');
    return kind === 'dynamic-import' && name in files ? { path: `./${name}.js`, external: true } : undefined;
  });
}

/** What infra/ reads of the jobs. @throws Refusal when one cannot run there, or all of them are too many */
export function packedIndex(prefix: string, jobs: Job[], alerts: AlertSettings): string {
  const text = jsonText({ prefix, jobs: listJobs(prefix, jobs), alertSecrets: secretsOf(alerts) });
  refuse(indexLimit(text));
  return text;
}

/** All jobs that the platform is to know; one that is over gets no new resources. @throws Refusal */
function listJobs(prefix: string, all: Job[]) {
  const jobs = inAzure(all);
  refuse(limitsOf(prefix, jobs));
  return jobs.map((job) => {
    const size = containerSize(job.cpu, job.memoryBytes);
    return {
      name: job.name,
      resource: containerAppsJobName(prefix, job.name),
      cpu: `${size?.cpu}`,
      memory: size?.memory,
      timeoutSeconds: Math.ceil((job.timeoutMs + job.graceMs + aroundMs) / second),
      secrets: Object.entries(job.secrets).map(([variable, name]) => ({
        variable,
        name: containerAppsSecretName(name),
      })),
      tier: job.tier,
      status: job.status,
      owner: job.owner.email,
      department: job.owner.department,
    };
  });
}

function refuse(found: Limit[]): void {
  const problems = found.filter(({ near }) => !near).map(({ job, text }) => `  ${job ? `${job.name}: ` : ''}${text}`);
  if (problems.length > 0) throw new Refusal(`These jobs cannot run in Azure as they are:\n${problems.join('\n')}`);
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(file, jsonText(value));
}
