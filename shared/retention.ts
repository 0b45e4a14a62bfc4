import type { Instant } from './instant.ts';
import type { Parts } from './parts.ts';
import { isFinal } from './run.ts';

/** Rows are read and removed so many at a time. */
const page = 1_000;

/**
 * Removes the runs of slots before `before`; what is not over yet stays. The audit (events) is kept for good. What the
 * attempts have left, logs and outputs, is removed by the storage account itself after as many days (infra/).
 * @returns how many were removed
 */
export async function forget({ store }: Parts, before: Instant): Promise<number> {
  let count = 0;
  for await (const { value: job } of store.jobs.all()) {
    let old: string[] = [];
    const remove = async () => {
      await store.runs.removeAll(job.name, old);
      count += old.length;
      old = [];
    };
    for await (const { value: run } of store.runs.list(job.name, { to: before - 1, page })) {
      if (isFinal(run.state)) old.push(run.id);
      if (old.length === page) await remove();
    }
    await remove();
  }
  return count;
}
