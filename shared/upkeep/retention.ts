import { day, type Instant } from '../instant.ts';
import type { Catalog } from '../job/catalog.ts';
import type { Parts } from '../parts.ts';
import { isFinal, type Run, runName } from '../run/run.ts';
import type { Store } from '../store/store.ts';

export interface Retention {
  /** Whether what attempts have left, logs and outputs, is removed here; in Azure the storage account itself does it. */
  blobs: boolean;
  /** False: time is up, and the next call goes on from there. */
  hasTime?: () => boolean;
}

/** Jobs at once: a page of each, then the next page of those that have more. */
const together = 8;
/** Rows in one request. */
const page = 1_000;
/** What is still an input is marked as used from this long before storage would remove it. */
const margin = 30 * day;

/**
 * Removes the runs of slots before `before` that were over by then, and with them their metrics and what lists of recent
 * runs have of them. A backfill of days long past is history of the day it ran on. What is not over yet stays, and so
 * does the last success of each job that is deployed, which comparisons and the inputs of other jobs are taken from. The
 * audit (events) is kept for good. No job waits for another that has more to forget, and one that fails stops no other.
 * @returns how many runs were removed, and whether none is left for lack of time or because of a fault
 */
export async function forget(
  parts: Parts,
  before: Instant,
  retention: Retention,
): Promise<{ count: number; complete: boolean }> {
  const { hasTime = () => true } = retention;
  const work: Work = { parts, before, blobs: retention.blobs, readers: readersOf(parts.catalog()), failed: 0 };
  let waiting: AsyncIterator<number>[] = [];
  let count = 0;
  // What a job has left is found by its name, whatever its row says.
  const unreadable = (name: string, error: unknown) => {
    parts.emit({ type: 'trouble', doing: `reading the row of ${name}`, error });
    waiting.push(forgetJob(work, name));
  };
  for await (const { value: job } of parts.store.jobs.all(unreadable)) waiting.push(forgetJob(work, job.name));
  // When time is always up too soon, another job is first each day.
  const first = Math.floor(before / day) % Math.max(waiting.length, 1);
  waiting = [...waiting.slice(first), ...waiting.slice(0, first)];
  while (waiting.length > 0) {
    const more: AsyncIterator<number>[] = [];
    for (let at = 0; at < waiting.length; at += together) {
      if (!hasTime()) return { count, complete: false };
      const some = waiting.slice(at, at + together);
      const results = await Promise.all(some.map((job) => job.next()));
      for (const [number, { value, done }] of results.entries()) {
        count += value ?? 0;
        const job = some[number];
        if (!done && job) more.push(job);
      }
    }
    waiting = more;
  }
  return { count, complete: work.failed === 0 };
}

interface Work {
  parts: Parts;
  before: Instant;
  blobs: boolean;
  readers: ReadonlyMap<string, ReadonlySet<string>>;
  /** Jobs of which not all could be forgotten. */
  failed: number;
}

/** Job → those of its outputs that other jobs read. */
function readersOf(catalog: Catalog): Map<string, Set<string>> {
  const readers = new Map<string, Set<string>>();
  for (const { job } of catalog.values()) {
    for (const input of job.inputs) {
      readers.set(input.job, (readers.get(input.job) ?? new Set()).add(input.output));
    }
  }
  return readers;
}

/** Forgets page by page. @yields how many runs were removed */
async function* forgetJob(work: Work, name: string): AsyncGenerator<number> {
  const { parts, before, blobs } = work;
  const { store, catalog } = parts;
  try {
    await forgetReplays(store, name, before, blobs);
    const latest = catalog().has(name) ? await store.runs.newestSuccess(name) : undefined;
    if (latest) await keepOutputs(work, latest);
    let old: Run[] = [];
    for await (const { value: run } of store.runs.list(name, { to: before - 1, page })) {
      const over = isFinal(run.state) && (run.endedAt ?? run.createdAt) < before;
      if (!over || run.id === latest?.id) continue;
      if (old.push(run) < page) continue;
      yield await remove(store, old, blobs);
      old = [];
    }
    if (old.length === 0) return;
    // Metric by metric: of a job with very many the others do not wait for the last.
    for await (const _ of store.metrics.forget(name, before)) yield 0;
    yield await remove(store, old, blobs);
  } catch (error) {
    work.failed += 1;
    parts.emit({ type: 'trouble', doing: `forgetting old runs of ${name}`, error });
  }
}

/** What a replay said goes with its run. One under way is of today. */
async function forgetReplays(store: Store, name: string, before: Instant, blobs: boolean): Promise<void> {
  const old: Run[] = [];
  for await (const { value: run } of store.runs.listReplays(name, { to: before - 1, page })) {
    if (isFinal(run.state)) old.push(run);
    if (old.length === page) break;
  }
  if (old.length === 0) return;
  if (blobs) for (const { id } of old) await store.attempts.removeAll(name, id);
  await store.replays.removeAll(name, old);
  await store.runs.removeAll(
    name,
    old.map(({ id }) => id),
  );
}

/** The rows last: as long as they are there, all of it is done again. */
async function remove(store: Store, runs: readonly Run[], blobs: boolean): Promise<number> {
  const job = runs[0]?.job ?? '';
  if (blobs) for (const { id } of runs) await store.attempts.removeAll(job, id);
  await store.recent.removeAll(runs);
  await store.runs.removeAll(
    job,
    runs.map(({ id }) => id),
  );
  return runs.length;
}

/** Storage removes what was not written for long: what other jobs still read is marked as used, each day. */
async function keepOutputs({ parts, before, readers }: Work, run: Run): Promise<void> {
  if ((run.endedAt ?? run.createdAt) > before + margin) return;
  const { store, emit } = parts;
  const id = { job: run.job, run: run.id, attempt: run.attempts.length };
  for (const output of readers.get(run.job) ?? []) {
    if (!run.outputs.some(({ path, sha256 }) => path === output && sha256 !== null)) continue;
    if (await store.attempts.keep(id, output)) continue;
    const error = new Error(
      `${output} of ${runName(run)} is no longer in storage: rerun it, as other jobs read that file`,
    );
    emit({ type: 'trouble', doing: `keeping the inputs that come from ${run.job}`, error });
  }
}
