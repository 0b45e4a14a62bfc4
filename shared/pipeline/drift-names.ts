import type { MetricState } from '../drift/state.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import { mostMetrics } from '../run/metrics.ts';
import type { Run } from '../run/run.ts';

/** A job that gives its metrics new names with each run must not have all that it ever had read and written by each follow-up. */

/** Metrics of one job that have a baseline: those of its latest run, and as many that it has no more. */
const mostFollowed = 2 * mostMetrics;

/** Names beyond {@link mostFollowed}, the longest absent first. What the manifest declares stays. */
export function surplus(states: ReadonlyMap<string, MetricState>, job: Job | undefined): string[] {
  if (states.size <= mostFollowed) return [];
  return [...states.values()]
    .filter(({ metric, absentNow }) => absentNow > 0 && !Object.hasOwn(job?.metrics ?? {}, metric))
    .sort((a, b) => b.absentNow - a.absentNow)
    .slice(0, states.size - mostFollowed)
    .map(({ metric }) => metric);
}

const opening = `this job has had more than ${mostFollowed} metrics`;

/** Baselines and history of metrics that the job has no more; its run says so, once. Safe to do again. */
export async function forgetNames({ store }: Parts, { job, id }: Run, names: string[]): Promise<void> {
  await store.metrics.forgetNames(job, names);
  await store.drift.forget(job, names);
  const more = names.length > 1 ? ` and ${names.length - 1} more` : '';
  const text = `${opening}, and the history of "${names[0]}"${more} is removed: give metrics the same names in each run`;
  for (;;) {
    const found = await store.runs.get(job, id);
    if (!found || found.value.warnings.some((one) => one.startsWith(opening))) return;
    if (await store.runs.replace({ ...found.value, warnings: [...found.value.warnings, text] }, found.etag)) return;
  }
}
