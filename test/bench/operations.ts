import diagnostics from 'node:diagnostics_channel';
import type { Choice } from './bench.ts';
import { burst } from './burst.ts';
import { line } from './figures.ts';
import { know, openWorld } from './world.ts';

interface Request {
  method: string;
  path: string;
}

/** (e) Requests to storage for one run: claimed ahead, launched, run, finished. */
export async function operations({ quick, concurrency }: Choice): Promise<void> {
  const jobs = quick ? 50 : 200;
  const world = await openWorld(jobs, concurrency);
  const counts = new Map<string, number>();
  const onStart = (message: unknown) => {
    const { method, path } = (message as { request: Request }).request;
    const [, , resource = ''] = path.split(/[/?(]/);
    // Blobs of runs have addresses in directories, rows of runs have not.
    const what = path.includes('/messages') ? 'message' : /^\/[^/]+\/[^/]+\//.test(path) ? 'blob' : 'row';
    const kind = `${method} ${what} of ${resource}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  };
  try {
    await know(world);
    diagnostics.subscribe('http.client.request.start', onStart);
    const { runs } = await burst(world, 0);
    diagnostics.unsubscribe('http.client.request.start', onStart);
    // Reading the rows back at the end of the round is the benchmark's own: one list a job.
    const listed = runs.length;
    let shim = 0;
    for (const run of runs) {
      const result = await world.parts.store.attempts.result({ job: run.job, run: run.id, attempt: 1 });
      shim += result?.storageCalls ?? 0;
    }
    const host = [...counts.values()].reduce((sum, count) => sum + count, 0) - listed;
    line('storage requests a run', `host ${(host / jobs).toFixed(1)} · shim ${(shim / jobs).toFixed(1)}`);
    for (const [kind, count] of [...counts].sort(([, a], [, b]) => b - a)) {
      if (count / jobs >= 0.05) line(`    ${kind}`, (count / jobs).toFixed(1));
    }
  } finally {
    diagnostics.unsubscribe('http.client.request.start', onStart);
    await world.close();
  }
}
