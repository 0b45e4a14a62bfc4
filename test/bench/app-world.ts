import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hour } from '../../shared/instant.ts';
import type { Catalog } from '../../shared/job/catalog.ts';
import { newJobRow } from '../../shared/run/job-row.ts';
import { newAttempt, newRun, type Run } from '../../shared/run/run.ts';
import { type EmbeddedStore, openEmbedded } from '../../shared/store/embedded/store.ts';
import { Issuer } from '../support/cli/issuer.ts';
import { deployed, hourly, job } from '../support/pipeline/cast.ts';

const jobs = 100;
const runsEach = 100;

export interface AppWorld {
  folder: string;
  store: EmbeddedStore;
  issuer: Issuer;
  url: string;
  /** Ids of the runs of a job, newest first. */
  runs(job: string): Promise<string[]>;
  host: ChildProcess;
  /** What a `lamp` needs in its environment to be signed in, and to know the app as `bench`. */
  environment: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/** The jobs that the host and the one that fills its store agree on. */
export function benchJobs(): Catalog {
  const names = Array.from({ length: jobs }, (_, number) => `job-${String(number).padStart(3, '0')}`);
  return new Map(names.map((name) => [name, deployed(job(name, { schedule: hourly }))]));
}

/** An app of {@link jobs} jobs with a past, in a process of its own. */
export async function openApp(): Promise<AppWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'lamp-app-'));
  const store = openEmbedded(join(folder, 'store'));
  await store.prepare();
  const last = Math.floor(Date.now() / hour) * hour;
  for (const name of benchJobs().keys()) {
    const past = Array.from({ length: runsEach }, (_, number) => finished(name, last - number * hour));
    await store.runs.insertAll(past);
    await store.recent.append(past);
    await store.jobs.insert(newJobRow(name, last - runsEach * hour, { streak: runsEach }));
  }
  const issuer = await Issuer.start();
  const { authority, tenant, client } = issuer;
  const program = join(import.meta.dirname, 'app-host.ts');
  const host = spawn(process.execPath, [program, join(folder, 'store'), authority, tenant, client], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await once(host.stdout as NodeJS.ReadableStream, 'data');
  const url = String(said).trim();
  const apps = join(folder, 'apps.json');
  await writeFile(apps, JSON.stringify({ using: null, apps: [{ name: 'bench', url, client }] }));
  return {
    folder,
    store,
    issuer,
    url,
    async runs(name) {
      const ids: string[] = [];
      for await (const { value } of store.runs.list(name)) ids.push(value.id);
      return ids;
    },
    host,
    environment: { ...process.env, ...issuer.environment, LAMPLIGHTER_APPS: apps },
    async close() {
      host.kill('SIGTERM');
      if (host.exitCode === null && host.signalCode === null) await once(host, 'exit');
      issuer.stop();
      store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function finished(name: string, slot: number, more: Partial<Run> = {}): Run {
  const attempt = newAttempt(1, 'bench', slot, { state: 'succeeded', endedAt: slot + 900, exitCode: 0 });
  return newRun(name, slot, 'schedule', slot, {
    state: 'succeeded',
    startedAt: slot,
    endedAt: slot + 900,
    attempts: [attempt],
    metrics: { rows: 1_000 },
    ...more,
  });
}
