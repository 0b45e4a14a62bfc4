import type { Parts } from '../parts.ts';
import { kept, measured } from '../run/metrics.ts';
import { isBegun, type Run } from '../run/run.ts';
import type { Results } from './results.ts';

/**
 * Enters what final runs have left, and what they took, in the history of metrics. Of a run that did not succeed only
 * what is known to be bounded: a success that gives its metrics new names each time is found out by its baselines.
 */
export async function recordMetrics({ store, catalog }: Parts, runs: readonly Run[], results: Results): Promise<void> {
  for (const run of runs) {
    if (!isBegun(run)) continue;
    const declared = catalog().get(run.job)?.job.metrics ?? {};
    const all = measured(run, await results(run));
    const isKept = (name: string) =>
      run.state === 'succeeded' || name.startsWith('run:') || Object.hasOwn(declared, name);
    const values = kept(new Map([...all].filter(([name]) => isKept(name))));
    if (values.size > 0) await store.metrics.append(run, values);
  }
}
