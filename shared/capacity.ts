import { type Instant, second } from './instant.ts';
import type { Parts } from './parts.ts';

/** So long a count is good; what this process starts meanwhile is added to it. */
const countedFor = 5 * second;

/**
 * Whether another attempt may start, of all hosts together. Each host counts for itself, so several may pass the limit
 * by what they start within five seconds: it keeps a platform's quota and a budget, not a lock.
 */
export function capacity(): (parts: Parts, limit: number, now: Instant) => Promise<boolean> {
  let count = 0;
  let countedAt = Number.NEGATIVE_INFINITY;
  let counting: Promise<void> | undefined;

  const recount = async (parts: Parts, limit: number, now: Instant) => {
    count = await underWay(parts, limit);
    countedAt = now;
  };
  return async (parts, limit, now) => {
    if (counting || Math.abs(now - countedAt) >= countedFor || count >= limit) {
      counting ??= recount(parts, limit, now).finally(() => {
        counting = undefined;
      });
      await counting;
    }
    if (count >= limit) return false;
    count += 1;
    return true;
  };
}

/** One request in all but the busiest hours: those that hold a job are read one by one only when they might be too many. */
async function underWay({ store }: Parts, limit: number): Promise<number> {
  const holding: { job: string; run: string }[] = [];
  for await (const { value } of store.jobs.all()) {
    for (const { run } of value.running) holding.push({ job: value.name, run });
  }
  if (holding.length < limit) return holding.length;
  const rows = await Promise.all(holding.map(({ job, run }) => store.runs.get(job, run)));
  // Those that wait for their next attempt hold their job, and no place.
  return rows.filter((row) => row?.value.state === 'starting' || row?.value.state === 'running').length;
}
