import type { Instant } from '../instant.ts';
import { canaryJob } from '../job/canary.ts';
import type { Run, RunState } from '../run/run.ts';
import { comesBefore, newestRuns } from '../store/newest.ts';
import type { Store } from '../store/store.ts';

/** Which runs are wanted; slots UTC, both ends inclusive. */
export interface RunFilter {
  states: ReadonlySet<RunState> | undefined;
  since: Instant | undefined;
  until: Instant | undefined;
  /** Begin after this run, in the order of the list. */
  after: { job: string; id: string; slot: Instant } | undefined;
}

/**
 * The newest slot first; runs of one slot by job and id. Of several jobs the index of recent runs is read, not each.
 * @param jobs undefined: all but the canary
 * @param kind replays of one job only: no index has them
 */
export async function* runsOf(
  store: Store,
  jobs: readonly string[] | undefined,
  filter: RunFilter,
  kind: 'run' | 'replay' = 'run',
): AsyncIterable<Run> {
  const { states, since: from, until: to, after } = filter;
  if (jobs === undefined) {
    for await (const run of newestRuns(store, { states, from, to, after, page: 100 })) {
      if (run.job !== canaryJob) yield run;
    }
    return;
  }
  const [job, ...others] = jobs;
  if (job === undefined) return;
  const list = kind === 'replay' ? store.runs.listReplays : store.runs.list;
  if (others.length === 0) return yield* runsOfJob(list, job, filter);
  yield* newestRuns(store, { states, from, to, after, jobs: new Set(jobs), page: 100 });
}

/** The store gives the runs of one slot in an order of its own, so those of a slot are put in ours. */
async function* runsOfJob(list: Store['runs']['list'], job: string, filter: RunFilter): AsyncIterable<Run> {
  let same: Run[] = [];
  const { states, since, until, after } = filter;
  const to = Math.min(until ?? Number.POSITIVE_INFINITY, after?.slot ?? Number.POSITIVE_INFINITY);
  const range = { page: 100, ...(since !== undefined && { from: since }), ...(Number.isFinite(to) && { to }) };
  for await (const { value: run } of list(job, range)) {
    if (same[0] && same[0].slot !== run.slot) {
      yield* same.sort((a, b) => (a.id < b.id ? -1 : 1));
      same = [];
    }
    const over = after && (run.slot > after.slot || (run.slot === after.slot && !comesBefore(after, run)));
    if (!over && (!states || states.has(run.state))) same.push(run);
  }
  yield* same.sort((a, b) => (a.id < b.id ? -1 : 1));
}
