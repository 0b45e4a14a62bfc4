import { isFinal, type Run } from '../run/run.ts';
import type { Store } from '../store/store.ts';

/** The newest slots that are looked through. */
const looked = 50;

/** The run that people mean by its job's name; undefined: it has not run yet. */
export async function meantRun(store: Store, job: string): Promise<Run | undefined> {
  const recent: Run[] = [];
  for await (const { value } of store.runs.list(job, { page: looked })) {
    recent.push(value);
    if (recent.length === looked) break;
  }
  return meantBy([...recent, ...(await remembered(store, job))]);
}

/**
 * The one under way that started last, else the one that started last, as a rerun of an old slot does, else the first
 * that is queued. @param recent newest slot first
 */
export function meantBy(recent: readonly Run[]): Run | undefined {
  const since = (run: Run) => run.attempts.at(-1)?.startedAt ?? run.startedAt ?? 0;
  const begun = recent.filter(({ attempts }) => attempts.length > 0).sort((a, b) => since(b) - since(a));
  // A person's own run or rerun counts as under way while it waits; the slot of the coming minute does not.
  const waiting = recent.find(
    ({ state, trigger }) => state === 'queued' && (trigger === 'manual' || trigger === 'rerun'),
  );
  return (
    begun.find(({ state }) => !isFinal(state)) ?? waiting ?? begun[0] ?? recent.find(({ state }) => state === 'queued')
  );
}

/** Runs that the job's row names: a rerun of an old slot is not among the newest slots. */
async function remembered(store: Store, job: string): Promise<Run[]> {
  const row = (await store.jobs.get(job))?.value;
  const ids = new Set([
    ...(row?.running.map(({ run }) => run) ?? []),
    ...[row?.waiting, row?.last?.id].filter((id) => typeof id === 'string'),
  ]);
  const found = await Promise.all([...ids].map((id) => store.runs.get(job, id)));
  return found.flatMap((one) => (one ? [one.value] : []));
}
