import type { Change } from '../drift/change.ts';
import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { MetricValue } from '../run/attempt.ts';
import type { Run } from '../run/run.ts';

/** Jobs that are asked for a finding of their own, and findings of each. */
const mostJobs = 500;
const mostFindings = 3;
const mostNamed = 3;

/** A job reports its model as `{"model": {"scorer-2": 120}}`: how many answers came from which. */
export function modelOf(metrics: Readonly<Record<string, MetricValue>>, metric: string): string | undefined {
  const value = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
  return typeof value === 'object' ? Object.keys(value).sort().join(', ') : undefined;
}

/** Other jobs that report the same model and drifted around the same run: what they have in common may be the cause. */
export async function sharedModel(parts: Parts, run: Run, around: readonly Run[], since: Instant): Promise<Change[]> {
  const model = modelOf(run.metrics, 'model');
  const [first] = around;
  if (model === undefined || first === undefined) return [];
  const found: Change[] = [];
  const others = [...parts.catalog().keys()].filter((job) => job !== run.job).slice(0, mostJobs);
  for (const job of others) {
    const findings = await parts.store.drift.findings(job, mostFindings);
    const near = findings.find((one) => one.state !== 'expected' && one.since >= first.slot && one.since <= run.slot);
    if (!near) continue;
    const [latest] = await parts.store.metrics.list(job, 'model', 1);
    if (!latest || modelOf({ model: latest.value }, 'model') !== model) continue;
    const at = around.findIndex(({ slot }) => slot >= Math.min(near.since, since));
    const text = `the job ${job}, which uses the same model ${model.slice(0, 80)}, drifted as well`;
    found.push({ kind: 'shared', at, slot: near.since, text });
    if (found.length === mostNamed) break;
  }
  return found;
}
