import type { Instant } from '../instant.ts';
import type { Deployed } from '../job/catalog.ts';
import type { Parts } from '../parts.ts';
import { dueSlots, type MissedSlot, type Stretch } from '../run/due.ts';
import { expected } from '../run/expected.ts';
import type { JobRow } from '../run/job-row.ts';
import { isQuiet } from '../run/quiet.ts';
import { newRun, type Run } from '../run/run.ts';
import { type Claim, claimEach, runsOf } from './claim.ts';
import { checkClock } from './clock.ts';
import { digestOf, reached, repairCursor } from './cursor.ts';
import { registerAgain, registerJob } from './deployments.ts';
import { eachJob } from './each-job.ts';
import { lookAhead } from './look-ahead.ts';

/** With more jobs to look at, all rows are read page by page rather than one by one; also when many of the jobs are due. */
const fewJobs = 100;
const manyOfAll = 1 / 10;
/** This many requests are under way at once. */
const together = 32;
/** When more jobs than this cannot be claimed, the tick has failed: it is done again. */
const mostBehind = 100;

/** A job to look at, and the slots that are not claimed yet. */
interface Look {
  deployed: Deployed;
  stretch: Stretch;
}

/** What a tick found when it came: how late it was, and what that cost. */
export interface TickReport {
  /** How long slots had waited to be looked at, ms; 0 when ticks come as they should. */
  behindMs: number;
  /** Since the tick before, ms: slots are claimed ahead, so this is longer. */
  sinceLastMs: number;
  /** Of jobs that lost slots to that, or start some late. */
  affected: { job: string; missed: number; late: number }[];
}

/**
 * Claims every slot between the cursor and {@link lookAhead} from now, whichever host calls it and however often: each
 * slot gets one row. The cursor moves only afterwards, so a tick that dies is simply done again. A job that cannot be
 * claimed stays behind by itself, and is claimed from there by the next tick.
 * @throws WrongClock
 */
export async function claimDue(parts: Parts, now: Instant): Promise<TickReport> {
  const { marks } = parts.store;
  const read = performance.now();
  const found = await marks.progress((name, error) => {
    parts.emit({ type: 'trouble', doing: `reading the mark ${name} of the service`, error });
  });
  await checkClock(parts, now, found, read);
  const progress = await repairCursor(parts, found, now);
  const catalog = parts.catalog();
  const digest = digestOf(catalog);
  await registerAgain(parts, catalog, now);

  const until = now + lookAhead;
  // The very first tick looks back at nothing.
  const after = reached(progress, digest) ?? now;
  const looks = jobsToLookAt(catalog.values(), progress.behind, { after, until }, now);
  const { failed, affected } = await claimJobs(parts, looks, now);
  if (failed.size > mostBehind) throw new Error(`slots of ${failed.size} jobs could not be claimed`);

  for (const name of failed) await marks.setBehind(name, progress.behind.get(name) ?? after, parts.person);
  for (const name of progress.behind.keys()) {
    if (catalog.has(name) && !failed.has(name)) await marks.clearBehind(name);
  }
  await marks.move(digest, until, parts.person, progress.cursor);
  await marks.advance('heartbeat', now, parts.person);
  const behindMs = Math.max(now - after, 0);
  return { behindMs, sinceLastMs: behindMs + lookAhead, affected };
}

/** In memory: most jobs are not due, and cost no request. Past schedules matter only after an outage. */
function jobsToLookAt(
  jobs: Iterable<Deployed>,
  behind: ReadonlyMap<string, Instant>,
  { after, until }: Stretch,
  now: Instant,
): Look[] {
  const looks: Look[] = [];
  for (const deployed of jobs) {
    const { name, status, schedules } = deployed.job;
    if (status === 'decommissioned') continue;
    const from = Math.min(after, behind.get(name) ?? after);
    if (from >= until) continue;
    if (now - from <= lookAhead && isQuiet(schedules, from, until)) continue;
    looks.push({ deployed, stretch: { after: from, until } });
  }
  return looks;
}

async function claimJobs(parts: Parts, looks: readonly Look[], now: Instant) {
  const many = looks.length > 1 && looks.length >= parts.catalog().size * manyOfAll;
  const rows = many || looks.length > fewJobs ? await allRows(parts) : undefined;
  const claims: Claim[] = [];
  const undecided = await eachJob(parts, 'looking at', looks, together, nameOf, async (look) => {
    const claim = await decide(parts, look, rows, now);
    if (claim.runs.length + claim.missed.length > 0) claims.push(claim);
  });
  const unclaimed = await claimEach(parts, claims, now);
  const failed = new Set([...undecided, ...unclaimed]);
  return { failed, affected: claims.filter(({ job }) => !failed.has(job)).flatMap(lostOrLate) };
}

function lostOrLate({ job, missed, runs }: Claim): TickReport['affected'] {
  const lost = missed.filter(({ state }) => state === 'missed').reduce((sum, { slots }) => sum + slots, 0);
  const late = runs.filter(({ trigger }) => trigger === 'catch-up').length;
  return lost + late > 0 ? [{ job, missed: lost, late }] : [];
}

/** A row that cannot be read is one that is missing here; reading it by itself says why, for that job alone. */
async function allRows({ store }: Parts): Promise<Map<string, JobRow>> {
  const rows = new Map<string, JobRow>();
  for await (const { value } of store.jobs.all(() => {})) rows.set(value.name, value);
  return rows;
}

async function decide(
  parts: Parts,
  { deployed, stretch }: Look,
  rows: ReadonlyMap<string, JobRow> | undefined,
  now: Instant,
): Promise<Claim> {
  const { job } = deployed;
  const known = rows?.get(job.name) ?? (await parts.store.jobs.get(job.name))?.value;
  const row = known ?? (await registerJob(parts, deployed, undefined, now, parts.catalog().package));
  const unreadable = (error: unknown) =>
    parts.emit({ type: 'trouble', doing: `reading a past schedule of ${job.name}`, error });
  const due = expected(row, job, stretch, now, unreadable, dueSlots(job, stretch, now));
  return {
    job: job.name,
    missed: due.missed.map((slot) => missedRun(job.name, slot, now)),
    runs: runsOf(job.name, due.run, now),
  };
}

function missedRun(job: string, { slot, state, code, reason, slots }: MissedSlot, now: Instant): Run {
  return newRun(job, slot, 'schedule', now, { state, reasonCode: code, reason, slots, endedAt: now });
}

function nameOf({ deployed }: Look): string {
  return deployed.job.name;
}
