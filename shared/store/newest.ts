import type { Instant } from '../instant.ts';
import { isReplay, parseRunId, type Run, type RunState } from '../run/run.ts';
import { lastInstant } from './inverted.ts';
import type { Store } from './store.ts';

/** Rows that are read at once. */
const together = 16;

/** A place in the order of such a list. */
export interface Place {
  job: string;
  id: string;
  slot: Instant;
}

export interface Wanted {
  /** Slots from `from` to `to`, both inclusive. */
  from?: Instant | undefined;
  to?: Instant | undefined;
  /** Begin after this run. */
  after?: Place | undefined;
  /** Of these jobs; undefined: of all. */
  jobs?: ReadonlySet<string> | undefined;
  states?: ReadonlySet<RunState> | undefined;
  /** About as many will be taken. */
  page?: number | undefined;
}

/**
 * Runs of all jobs, newest slot first, those of one slot by job and id. Runs under way come from the active entries, the
 * others from the index of recent runs: the number of jobs and the length of their history cost nothing.
 */
export async function* newestRuns(store: Store, wanted: Wanted = {}): AsyncIterable<Run> {
  const { states, page = 50 } = wanted;
  let some: Place[] = [];
  const rows = async () => {
    const found = await Promise.all(some.map(({ job, id }) => store.runs.get(job, id)));
    some = [];
    return found.flatMap((row) => (row && (states?.has(row.value.state) ?? true) ? [row.value] : []));
  };
  for await (const place of merged(store, wanted)) {
    if (some.push(place) >= Math.min(together, page)) yield* await rows();
  }
  yield* await rows();
}

/** Whether one comes before the other in such a list. */
export function comesBefore(a: Place, b: Place): boolean {
  if (a.slot !== b.slot) return a.slot > b.slot;
  return a.job === b.job ? a.id < b.id : a.job < b.job;
}

/** The places of both, in one order and each once. */
async function* merged(store: Store, wanted: Wanted): AsyncIterable<Place> {
  const { from = 0, to, after, jobs, states, page = 50 } = wanted;
  const last = Math.min(to ?? lastInstant, after?.slot ?? lastInstant);
  const isWanted = (place: Place) => (jobs?.has(place.job) ?? true) && !(after && !comesBefore(after, place));
  const under = (await underWay(store, from, last)).filter(isWanted);
  const names = new Set(under.map(({ job, id }) => `${job}.${id}`));
  let at = 0;
  for await (const { job, run: id, slot, state } of store.recent.list({
    from,
    to: last,
    page: Math.min(page, 1_000),
  })) {
    const place = { job, id, slot };
    for (let next = under[at]; next && comesBefore(next, place); next = under[at]) {
      yield next;
      at += 1;
    }
    // A run that has just become final may be in both.
    if ((states?.has(state) ?? true) && isWanted(place) && !names.has(`${job}.${id}`)) yield place;
  }
  yield* under.slice(at);
}

async function underWay({ active }: Store, from: Instant, to: Instant): Promise<Place[]> {
  const entries: Place[] = [];
  for await (const { value } of active.all()) {
    const slot = parseRunId(value.run)?.slot;
    if (slot !== undefined && slot >= from && slot <= to && !isReplay({ id: value.run }))
      entries.push({ job: value.job, id: value.run, slot });
  }
  return entries.sort((a, b) => (comesBefore(a, b) ? -1 : 1));
}
