import diagnostics from 'node:diagnostics_channel';
import type { Run } from '../../shared/run/run.ts';
import { retentionDays, upkeep } from '../../shared/upkeep/upkeep.ts';
import type { Choice } from './bench.ts';
import { burst } from './burst.ts';
import { line } from './figures.ts';
import { dueOf, know, openWorld } from './world.ts';

interface Request {
  method: string;
  path: string;
}

/** (e) Requests to Azure's storage for one run: claimed ahead, launched, run, finished. Without what a host does once a day. */
export async function operations({ quick, concurrency }: Choice): Promise<void> {
  const jobs = quick ? 50 : 200;
  const world = await openWorld(jobs, concurrency, 'azurite');
  const { parts } = world;
  try {
    await know(world);
    // What a host does once a day is done before each round; the first makes it know its jobs.
    const retention = { days: retentionDays.usual, blobs: true, hasTime: () => true };
    await upkeep(parts, retention, dueOf(0));
    const first = await counted(async () => {
      await burst(world, 0);
    });
    await upkeep(parts, retention, dueOf(1));
    let runs: Run[] = [];
    const counts = await counted(async () => {
      ({ runs } = await burst(world, 1));
    });
    // Reading the rows back at the end is the benchmark's own: a list a job. A host that begins looks through the audit.
    for (const some of [first, counts]) {
      for (const method of ['GET', 'POST']) some.delete(`${method} row of events`);
      some.set('GET row of runs', Math.max((some.get('GET row of runs') ?? 0) - jobs, 0));
    }
    let shim = 0;
    for (const run of runs) {
      const result = await parts.store.attempts.result({ job: run.job, run: run.id, attempt: 1 });
      shim += result?.storageCalls ?? 0;
    }
    const aRun = (some: Map<string, number>) =>
      ([...some.values()].reduce((sum, count) => sum + count, 0) / jobs).toFixed(1);
    line('storage requests a run', `host ${aRun(counts)} · shim ${(shim / jobs).toFixed(1)}`);
    line('  the first run of a job', `host ${aRun(first)}`);
    for (const [kind, count] of [...counts].sort(([, a], [, b]) => b - a)) {
      if (count / jobs >= 0.05) line(`    ${kind}`, (count / jobs).toFixed(1));
    }
  } finally {
    await world.close();
  }
}

/** How many requests of each kind are made meanwhile. */
async function counted(work: () => Promise<void>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const onStart = (message: unknown) => {
    const { method, path } = (message as { request: Request }).request;
    const [, , resource = ''] = path.split(/[/?(]/);
    // Blobs of runs have addresses in directories, rows of runs have not.
    const what = path.includes('/messages') ? 'message' : /^\/[^/]+\/[^/]+\//.test(path) ? 'blob' : 'row';
    const kind = `${method} ${what} of ${resource}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  };
  diagnostics.subscribe('http.client.request.start', onStart);
  try {
    await work();
  } finally {
    diagnostics.unsubscribe('http.client.request.start', onStart);
  }
  return counts;
}
