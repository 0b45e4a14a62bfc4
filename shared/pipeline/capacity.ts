import { type Instant, minute, second } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { LaunchMessage } from '../store/launches.ts';

/** So long a count is good; what this process starts meanwhile is added to it. */
const countedFor = 5 * second;
/** And so long one that found no place: hundreds of launches that wait must not count once each. */
const fullFor = second;
/** When there is no place, a launch is looked at again after this time. */
const laterMs = 15 * second;
/** Until then, and for so long after, the watch leaves its run alone. */
const unwatchedMs = 2 * minute;

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
    if (counting || Math.abs(now - countedAt) >= (count >= limit ? fullFor : countedFor)) {
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

/**
 * Puts off a launch for which there is no place. A run that waits has one message that comes again and again, however
 * many ask for it meanwhile: the watch and whoever ends queue more of them, and those must not pile up for hours.
 */
export async function postpone({ store }: Pick<Parts, 'store'>, message: LaunchMessage, now: Instant): Promise<void> {
  const entry = await store.active.get(message.job, message.run);
  if (entry) {
    // Another one has just put it off, and its message is on its way; a third of the time for clocks that differ.
    if (entry.value.checkAfter > now + unwatchedMs + laterMs / 3) return;
    if (!(await store.active.lookAgain(entry, now + laterMs + unwatchedMs))) return;
  }
  await store.launches.put(message, now + laterMs, now);
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
