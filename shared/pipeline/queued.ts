import { type Instant, iso, minute, second } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { JobRow } from '../run/job-row.ts';
import { admit } from '../run/overlap.ts';
import { placeOrder } from '../run/place.ts';
import { isReplay, parseRunId, type Run } from '../run/run.ts';
import type { ActiveRun } from '../store/active.ts';
import type { Versioned } from '../store/table.ts';
import { freeLeftPlaces } from './capacity.ts';
import { isRegistered } from './deployments.ts';
import { inLine, wakeLine } from './line.ts';
import { lateAt, nextDeadline, notice } from './notice.ts';
import { park, placeReason } from './park.ts';
import { early, repairAfter, wake } from './waiting.ts';

/** Messages that lie for this long are not taken by anyone: another one would lie beside them. */
const unserved = 30 * second;
/** A run that stays queued is looked at ever more seldom, up to this. */
const seldom = 15 * minute;

/** What one round of the watch reads at most once. */
export interface Round {
  job(name: string): Promise<Versioned<JobRow> | undefined>;
  /** Since when launches are not served; undefined: they are. */
  unservedSince(): Promise<Instant | undefined>;
}

export function roundOf({ store }: Parts, now: Instant): Round {
  const jobs = new Map<string, ReturnType<Round['job']>>();
  let oldest: Promise<Instant | undefined> | undefined;
  return {
    job(name) {
      const known = jobs.get(name) ?? store.jobs.get(name);
      jobs.set(name, known);
      return known;
    },
    async unservedSince() {
      oldest ??= store.launches.waitingSince(now);
      const since = await oldest;
      return since !== undefined && since < now - unserved ? since : undefined;
    },
  };
}

/**
 * Queues the next attempt of a run whose message may be lost. While messages lie about it may be one of them; but where
 * all of those that lie about are younger, it is not, however busy the queue.
 * @returns what the entry is to say of it
 */
export async function requeue(
  parts: Parts,
  { asked = 0 }: ActiveRun,
  run: Run,
  round: Round,
  now: Instant,
): Promise<Pick<ActiveRun, 'asked'>> {
  const since = await round.unservedSince();
  if (since !== undefined && since <= Math.max(messageFrom(run), asked) + early) return {};
  await parts.store.launches.put({ job: run.job, run: run.id, attempt: run.attempts.length + 1 }, now, now);
  return { asked: now };
}

/** When the message for its next attempt became visible, as far as the row says: one that was woken got another later. */
function messageFrom({ slot, createdAt, nextAttemptAt }: Run): Instant {
  return nextAttemptAt ?? Math.max(slot, createdAt);
}

/** A run that is queued past its slot: it waits for others, its launch was lost, or no one takes launches. */
export async function lookAtQueued(
  parts: Parts,
  entry: Versioned<ActiveRun>,
  found: Versioned<Run>,
  round: Round,
  now: Instant,
): Promise<unknown> {
  const { store } = parts;
  const run = found.value;
  if (run.slot > now + early) return store.active.lookAgain(entry, run.slot + repairAfter);
  const row = (await round.job(run.job))?.value;
  const job = parts.catalog().get(run.job)?.job;
  const decision = job && row && !isReplay(run) ? admit(job, run, row, now) : undefined;
  if (decision?.do === 'wait') {
    // The end of a slot's run wakes as well, and that slot comes by itself.
    const waits = decision.for === 'slot' ? 'pause' : decision.for;
    return park(parts, entry, found, waits, decision.reason, now);
  }
  const waitsForPlace = parts.limit !== undefined && entry.value.waits === 'place';
  const asked = waitsForPlace ? {} : await requeue(parts, entry.value, run, round, now);
  const late = lateAt(run) ?? Number.POSITIVE_INFINITY;
  const noticed = now < late ? found : await notice(parts, found, 'late', await whyLate(parts, waitsForPlace, round));
  if (!noticed) return undefined;
  if (waitsForPlace) {
    // The look that notices has just found it late; one that comes an hour after makes sure.
    if (noticed === found) {
      await backInLine(parts, [entry.value], now);
      await wakeLine(parts, now);
    }
    return park(parts, entry, noticed, 'place', placeReason(parts), now);
  }
  const again = now + Math.min(Math.max((now - run.slot) / 2, repairAfter), seldom);
  const next = [again, late > now ? late : again, nextDeadline(run, now) ?? again];
  return store.active.lookAgain(entry, Math.round(Math.min(...next)), asked);
}

async function whyLate(parts: Parts, waitsForPlace: boolean, round: Round): Promise<string> {
  if (waitsForPlace) return placeReason(parts);
  const since = await round.unservedSince();
  if (since === undefined) return 'its launch was lost, and is queued again';
  return `launches lie in the queue since ${iso(since)}: check that a host takes them`;
}

/**
 * Wakes those that wait for an end that has been, and was not followed by a wake: its host died. Costs no request while
 * whatever they wait for is under way: that is seen from the entries alone.
 */
export async function wakeForgotten(
  parts: Parts,
  entries: readonly Versioned<ActiveRun>[],
  round: Round,
  now: Instant,
): Promise<void> {
  const isDue = ({ run }: ActiveRun) => (parseRunId(run)?.slot ?? 0) <= now + early;
  const due = entries.map(({ value }) => value).filter(isDue);
  // What no host can start holds nothing.
  const mayStart = ({ job }: ActiveRun) => parts.catalog().has(job) && isRegistered(parts.catalog(), job);
  // What runs elsewhere has no place, nor has what is over, and not followed up yet.
  const mayHave = (one: ActiveRun) => one.followed === undefined && !parts.catalog().get(one.job)?.job.external;
  const live = due.filter((entry) => entry.waits === undefined && mayStart(entry) && mayHave(entry));
  // A run between two attempts holds its job, and no place.
  const mayHold = ({ waits }: ActiveRun) => waits === undefined || waits === 'place' || waits === 'retry';
  const holds = (entry: ActiveRun) => !isReplay({ id: entry.run }) && mayHold(entry);
  const busy = new Set(due.filter(holds).map(({ job }) => job));
  const forgotten = new Set(due.filter(({ job, waits }) => waits === 'job' && !busy.has(job)).map(({ job }) => job));
  for (const name of forgotten) {
    const row = await round.job(name);
    if (row && (await round.unservedSince()) === undefined) await wake(parts, row.value, now, { all: true });
  }
  const waiting = due.filter(({ waits }) => waits === 'place');
  if (parts.limit === undefined || waiting.length === 0 || live.length >= parts.limit) return;
  if ((await round.unservedSince()) !== undefined) return;
  const known = new Map(entries.map(({ value }) => [`${value.job}|${value.run}`, value]));
  await freeLeftPlaces(parts, (job, run) => known.get(`${job}|${run}`), now);
  await backInLine(parts, waiting, now);
  await wakeLine(parts, now);
}

/** A host that died between two writes may have left some that stand in no line: no end would wake them. */
async function backInLine(parts: Parts, waiting: readonly ActiveRun[], now: Instant): Promise<void> {
  const { places, runs } = parts.store;
  const { line } = await places.view(Number.POSITIVE_INFINITY);
  const standing = new Set(line.map(({ job, run }) => `${job}|${run}`));
  for (const { job, run } of waiting) {
    if (standing.has(`${job}|${run}`)) continue;
    const deployed = parts.catalog().get(job);
    const found = await runs.get(job, run).catch((error) => {
      parts.emit({ type: 'trouble', doing: `looking at ${job}.${run}`, error });
      return undefined;
    });
    if (deployed && found) await places.queue(inLine(nextOf(found.value), placeOrder(deployed.job, found.value), now));
  }
}

function nextOf({ job, id, attempts }: Run) {
  return { job, run: id, attempt: attempts.length + 1 };
}
