import type { Parts } from '../parts.ts';
import { kept, measured } from '../run/metrics.ts';
import { isBegun, type Run } from '../run/run.ts';
import type { Results } from './results.ts';

/** Enters what final runs have left, and what they took, in the history of metrics. */
export async function recordMetrics({ store }: Parts, runs: readonly Run[], results: Results): Promise<void> {
  for (const run of runs) {
    if (!isBegun(run)) continue;
    const values = kept(measured(run, await results(run)));
    if (values.size > 0) await store.metrics.append(run, values);
  }
}
