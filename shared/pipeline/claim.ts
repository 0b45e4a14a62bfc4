import { eachOf } from '../batches.ts';
import { type Instant, minute } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { type DueSlot, onTime } from '../run/due.ts';
import { newRun, type Run, runId } from '../run/run.ts';
import type { ActiveRun } from '../store/active.ts';
import { eachJob } from './each-job.ts';
import { recordMissed } from './missed.ts';
import { nextDeadline } from './notice.ts';

/** A queued run is looked at again this long after its slot. */
const launchGrace = 2 * minute;
/** This many requests are under way at once. */
const together = 32;

/** What a tick has decided about a job. */
export interface Claim {
  job: string;
  /** Rows of slots that no run starts for; oldest first. */
  missed: Run[];
  /** To be queued; oldest first. */
  runs: Run[];
}

/** The runs that due slots call for. Late or not, a slot has one id: it can be claimed only once. */
export function runsOf(job: string, slots: readonly DueSlot[], now: Instant): Run[] {
  return slots.map(({ slot, late, startBy, finishBy, args }) => {
    const id = runId(slot, 'schedule');
    return newRun(job, slot, late ? 'catch-up' : 'schedule', now, { id, startBy, finishBy, args });
  });
}

/**
 * Claims what is due of many jobs: the entries for the watch first, of all jobs together; then each job's rows, which are
 * the claim; then the messages. What is claimed already stays as it is.
 * @returns the jobs that could not be claimed. @throws when none could: an outage
 */
export async function claimEach(parts: Parts, claims: readonly Claim[], now: Instant): Promise<Set<string>> {
  const entries = claims.flatMap(({ runs }) => runs.map((run) => entryOf(run, now)));
  // One entry that cannot be written fails those that are written with it: then each job writes its own.
  const entered = await parts.store.active.insertAll(entries).then(
    (fresh) => new Set(fresh),
    () => undefined,
  );
  const known = new Set(entries.filter((entry) => entered && !entered.has(entry)).map(({ job }) => job));
  return eachJob(
    parts,
    'claiming slots of',
    claims,
    together,
    ({ job }) => job,
    async ({ job, missed, runs }) => {
      await recordMissed(parts, missed, now);
      const isKnown = entered ? known.has(job) : await enterAll(parts, runs, now);
      const claimed = await parts.store.runs.insertAll([...runs]);
      // Before the messages: an end that follows them finds those that wait.
      if (isKnown) await expectAgain(parts, job, runs, now);
      await queueAll(parts, runs, claimed, now);
    },
  );
}

/** Entries of one job. @returns whether some were there already */
async function enterAll({ store }: Parts, runs: readonly Run[], now: Instant): Promise<boolean> {
  return (await store.active.insertAll(runs.map((run) => entryOf(run, now)))).length < runs.length;
}

/**
 * The watch looks seldom at an entry whose row was missing, and those that wait for one another leave it out: the rows
 * could not be written for a while. Comes after the rows, so that no watch finds one missing again.
 */
async function expectAgain({ store }: Parts, job: string, runs: readonly Run[], now: Instant): Promise<void> {
  const rows = new Map(runs.map((run) => [run.id, run]));
  for await (const { value } of store.active.ofJob(job)) {
    const run = rows.get(value.run);
    if (run && value.waits === 'claim') await store.active.unpark(job, run.id, entryOf(run, now).checkAfter);
  }
}

/** Queues those of one job's runs that were new. */
async function queueAll(parts: Parts, runs: readonly Run[], fresh: readonly Run[], now: Instant): Promise<void> {
  const claimed = new Set(fresh);
  await eachOf(runs, together, async (run) => {
    if (claimed.has(run)) {
      await queue(parts, run, now);
      parts.emit({ type: 'run-claimed', run });
    } else if (run.slot > now - onTime && (await isWaiting(parts, run))) {
      // The one that claimed it may have died before the message: a second one is harmless, none costs minutes.
      await queue(parts, run, now);
    }
  });
}

async function isWaiting({ store }: Parts, { job, id }: Run): Promise<boolean> {
  const found = await store.runs.get(job, id);
  return found?.value.state === 'queued' && found.value.attempts.length === 0;
}

function queue({ store }: Parts, { job, id, slot }: Run, now: Instant): Promise<void> {
  return store.launches.put({ job, run: id, attempt: 1 }, slot, now);
}

/**
 * Claims runs of one job without queueing them: entries for the watch first, then the rows.
 * @returns those that were new, in the same order
 */
export async function claimAll(parts: Parts, runs: Run[], now: Instant): Promise<Run[]> {
  const { store, emit } = parts;
  const isKnown = await enterAll(parts, runs, now);
  const claimed = await store.runs.insertAll(runs);
  const [first] = runs;
  if (isKnown && first) await expectAgain(parts, first.job, runs, now);
  for (const run of claimed) emit({ type: 'run-claimed', run });
  return claimed;
}

/**
 * Claims a run and queues its first attempt at its slot. The entry for the watch comes first, so that a crash anywhere
 * in here is repaired; the row is the claim; the message comes last.
 * @returns false when the row existed already: it was claimed before.
 */
export async function enqueue(parts: Parts, run: Run, now: Instant): Promise<boolean> {
  await parts.store.active.insert(entryOf(run, now));
  if (!(await parts.store.runs.insert(run))) return false;
  await queue(parts, run, now);
  parts.emit({ type: 'run-claimed', run });
  return true;
}

/** Its deadlines are looked at at their instants. */
export function entryOf(run: Run, now: Instant): ActiveRun {
  const { job, id, slot } = run;
  const checkAfter = Math.max(slot, now) + launchGrace;
  return { job, run: id, checkAfter: Math.min(checkAfter, nextDeadline(run, now) ?? checkAfter), since: now };
}
