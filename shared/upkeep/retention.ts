import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { isFinal } from '../run/run.ts';
import type { Store } from '../store/store.ts';

/** Rows are read and removed so many at a time. */
const page = 1_000;

/**
 * Removes the runs of slots before `before` that were over by then: a backfill of days long past is history of the day it
 * ran on. What is not over yet stays, and so does the last success of each job that is deployed, which comparisons and
 * the inputs of other jobs are taken from. The audit (events) is kept for good. What the attempts have left, logs and
 * outputs, is removed by the storage account itself after as many days (infra/).
 * @returns how many were removed
 */
export async function forget({ store, catalog }: Parts, before: Instant): Promise<number> {
  let count = 0;
  for await (const { value: job } of store.jobs.all()) {
    let old: string[] = [];
    const remove = async () => {
      await store.runs.removeAll(job.name, old);
      count += old.length;
      old = [];
    };
    let keepsOne = catalog().has(job.name);
    for await (const { value: run } of store.runs.list(job.name, { to: before - 1, page })) {
      if (!isFinal(run.state)) continue;
      if (keepsOne && run.state === 'succeeded') {
        keepsOne = false;
        if (!(await succeededSince(store, job.name, before))) continue;
      }
      if ((run.endedAt ?? run.createdAt) < before) old.push(run.id);
      if (old.length === page) await remove();
    }
    await remove();
  }
  return count;
}

async function succeededSince({ runs }: Store, job: string, from: Instant): Promise<boolean> {
  for await (const { value } of runs.list(job, { from })) if (value.state === 'succeeded') return true;
  return false;
}
