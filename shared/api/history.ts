import type { Instant } from '../instant.ts';
import type { Run, RunState } from '../run/run.ts';
import type { Store } from '../store/store.ts';

/** Which runs are wanted; slots UTC, both ends inclusive. */
export interface RunFilter {
  states: ReadonlySet<RunState> | undefined;
  since: Instant | undefined;
  until: Instant | undefined;
  /** Begin after this run, in the order of the list. */
  after: { job: string; id: string; slot: Instant } | undefined;
}

/** The newest slot first; runs of one slot by job and id. Reads of each job no more than is asked of the whole. */
export async function* runsOf({ runs }: Store, jobs: readonly string[], filter: RunFilter): AsyncIterable<Run> {
  const heads = await Promise.all(
    jobs.map(async (job) => {
      const rest = runsOfJob(runs, job, filter)[Symbol.asyncIterator]();
      return { rest, run: (await rest.next()).value as Run | undefined };
    }),
  );
  for (;;) {
    let newest: (typeof heads)[number] | undefined;
    for (const head of heads) if (head.run && (!newest?.run || before(head.run, newest.run))) newest = head;
    if (!newest?.run) return;
    yield newest.run;
    newest.run = (await newest.rest.next()).value as Run | undefined;
  }
}

/** The store gives the runs of one slot in an order of its own, so those of a slot are put in ours. */
async function* runsOfJob(runs: Store['runs'], job: string, filter: RunFilter): AsyncIterable<Run> {
  let same: Run[] = [];
  const { states, since, until, after } = filter;
  const to = Math.min(until ?? Number.POSITIVE_INFINITY, after?.slot ?? Number.POSITIVE_INFINITY);
  const range = { page: 100, ...(since !== undefined && { from: since }), ...(Number.isFinite(to) && { to }) };
  for await (const { value: run } of runs.list(job, range)) {
    if (same[0] && same[0].slot !== run.slot) {
      yield* same.sort((a, b) => (a.id < b.id ? -1 : 1));
      same = [];
    }
    const over = after && (run.slot > after.slot || (run.slot === after.slot && !before(after, run)));
    if (!over && (!states || states.has(run.state))) same.push(run);
  }
  yield* same.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function before(a: { job: string; id: string; slot: Instant }, b: { job: string; id: string; slot: Instant }): boolean {
  if (a.slot !== b.slot) return a.slot > b.slot;
  return a.job === b.job ? a.id < b.id : a.job < b.job;
}
