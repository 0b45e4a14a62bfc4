import type { Instant } from '../instant.ts';
import { parseRunId, type Run, type RunState } from '../run/run.ts';
import type { Store } from './store.ts';

/** Rows that are read at once. */
const together = 16;

export interface Wanted {
  /** Slots from this instant on. */
  from?: Instant;
  states?: ReadonlySet<RunState> | undefined;
  /** About as many will be taken. */
  page?: number;
}

/**
 * Runs of all jobs, newest slot first: those under way from the active entries, the others from the index of recent
 * runs, whatever the number of jobs or the length of their history.
 */
export async function* newestRuns(store: Store, { from = 0, states, page = 50 }: Wanted = {}): AsyncIterable<Run> {
  let some: { job: string; run: string }[] = [];
  const rows = async () => {
    const found = await Promise.all(some.map(({ job, run }) => store.runs.get(job, run)));
    some = [];
    return found.flatMap((row) => (row && (states?.has(row.value.state) ?? true) ? [row.value] : []));
  };
  for await (const entry of merged(store, { from, states, page })) {
    if (some.push(entry) >= Math.min(together, page)) yield* await rows();
  }
  yield* await rows();
}

/** The names of both, in one order and each once. */
async function* merged(store: Store, { from, states, page }: Wanted & { from: Instant }) {
  const under = await underWay(store, from);
  const names = new Set(under.map(({ job, run }) => `${job}.${run}`));
  let at = 0;
  for await (const recent of store.recent.list({ from, page: Math.min(page ?? 50, 1_000) })) {
    for (let next = under[at]; next && next.slot >= recent.slot; next = under[at]) {
      yield next;
      at += 1;
    }
    // A run that has just become final may be in both.
    if ((states?.has(recent.state) ?? true) && !names.has(`${recent.job}.${recent.run}`)) yield recent;
  }
  yield* under.slice(at);
}

async function underWay({ active }: Store, from: Instant) {
  const entries: { job: string; run: string; slot: Instant }[] = [];
  for await (const { value } of active.all()) {
    const slot = parseRunId(value.run)?.slot;
    if (slot !== undefined && slot >= from) entries.push({ job: value.job, run: value.run, slot });
  }
  return entries.sort((a, b) => b.slot - a.slot);
}
