import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findHome, type Home } from '../../cli/home.ts';
import { startStore } from '../../cli/host/azurite.ts';
import { composeLocal, type LocalParts } from '../../cli/host/compose.ts';
import { readFolder } from '../../cli/host/folder.ts';
import { type Loop, loop } from '../../cli/host/loop.ts';
import { type OpenStore, openConnection, openFolder } from '../../cli/host/store.ts';
import type { Event } from '../../shared/events.ts';
import { findPython } from '../../shared/executors/process/python.ts';
import { type Instant, minute } from '../../shared/instant.ts';
import type { Catalog } from '../../shared/job/catalog.ts';
import { register } from '../../shared/pipeline/deployments.ts';

/** The one script that both sides run. Its first statement takes the time, and says it as a metric, in seconds UTC. */
export const script = `import time
at = time.time()
import os
print('hello')
with open(os.environ['JOB_METRICS'], 'a') as metrics:
    metrics.write(f'at={at:.6f}\\n')
`;

/** The hour at which all jobs of the benchmark are due, UTC; how many days it is done is up to the rounds. */
const hourDue = 3;

export interface World {
  home: Home;
  /** The interpreter that runs every job, here and in the bare loop. */
  python: string;
  catalog: Catalog;
  parts: LocalParts;
  concurrency: number;
  /** The runs that are over, since the last host was started. */
  over: Event[];
  /** Where {@link script} lies, for the bare loop. */
  bare: string;
  /** A host whose clock is `ahead` ms ahead of the machine's; the store's clock goes with it. */
  host(ahead: number): Loop;
  close(): Promise<void>;
}

/** Azurite on disk, which stands for Azure. */
async function openAzurite(home: Home): Promise<OpenStore> {
  const azurite = await startStore(home.state);
  const opened = await openConnection(azurite.connection);
  return { ...opened, close: () => void azurite.stop() };
}

/**
 * A service on a temporary folder with its own store on disk, and `jobs` jobs that are all due at one instant a day.
 * @param kind whose requests are counted is Azure's
 */
export async function openWorld(
  jobs: number,
  concurrency: number,
  kind: 'embedded' | 'azurite' = 'embedded',
): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'lamp-bench-'));
  const names = Array.from({ length: jobs }, (_, number) => `job-${String(number).padStart(4, '0')}`);
  for (const name of names) await writeJob(join(root, 'jobs', name));
  const bare = join(root, 'bare');
  await mkdir(bare);
  await writeFile(join(bare, 'job.py'), script);

  const home = findHome(root);
  const [python, opened] = await Promise.all([findPython(), kind === 'azurite' ? openAzurite(home) : openFolder(home)]);
  const { catalog, problems } = await readFolder(home.jobs);
  if (problems.length > 0) throw new Error(`the benchmark's own jobs are broken: ${JSON.stringify(problems[0])}`);
  let running: Loop | undefined;
  let over: Event[] = [];
  let ahead = 0;
  const composed = await composeLocal(home, {
    opened,
    catalog: () => catalog,
    emit(event) {
      if (event.type === 'trouble') console.error(event);
      if (event.type === 'run-finished' || event.type === 'run-not-started') over.push(event);
    },
    ended: (attempt) => running?.ended(attempt),
    python,
  });
  const time = async () => (await composed.store.time()) + ahead;
  const parts: LocalParts = { ...composed, store: { ...composed.store, time } };
  await parts.store.prepare();
  return {
    home,
    python,
    catalog,
    parts,
    concurrency,
    bare,
    get over() {
      return over;
    },
    host(by) {
      ahead = by;
      over = [];
      running = loop(
        parts,
        () => concurrency - parts.work.running(),
        () => Date.now() + by,
      );
      return running;
    },
    async close() {
      await parts.docker.close();
      opened.close();
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The jobs are known since the day before the first round. */
export async function know(world: World): Promise<void> {
  const day = dueOf(0) - 2 * minute;
  await register(world.parts, world.catalog, day);
  await world.parts.store.marks.advance('cursor', day, 'bench');
}

/** The instant at which all jobs are due in that round: days apart, so that each round has slots of its own. */
export function dueOf(round: number): Instant {
  const today = new Date();
  return Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + 1 + round, hourDue);
}

async function writeJob(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const manifest = [
    'description: Reports when it began.',
    'owner: { email: bench@contoso.com, department: Bench }',
    'tier: standard',
    'data: internal',
    `schedule: { cron: "0 ${hourDue} * * *", timeZone: UTC }`,
    'run: { command: [python, job.py], timeout: 5m }',
  ];
  await writeFile(join(folder, 'job.yaml'), `${manifest.join('\n')}\n`);
  await writeFile(join(folder, 'job.py'), script);
  await writeFile(join(folder, 'README.md'), '# Bench\n');
}

/** When the bare loop's scripts began, seconds UTC. */
export async function bareStamps(file: string): Promise<number[]> {
  const text = await readFile(file, 'utf8');
  return [...text.matchAll(/^at=(.+)$/gm)].map(([, at]) => Number(at));
}
