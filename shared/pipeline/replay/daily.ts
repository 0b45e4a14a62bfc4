import { everyDays, isDue } from '../../drift/due.ts';
import { newReplayState } from '../../drift/replay.ts';
import { day, type Instant } from '../../instant.ts';
import type { Deployed } from '../../job/catalog.ts';
import type { Parts } from '../../parts.ts';
import { eachJob } from '../each-job.ts';
import { amendReplays, isReplayed, wantReplay } from './request.ts';

const together = 4;
/** Runs that the cost of a job is taken from, and the time they may lie back. */
const mostRuns = 200;
const window = 30 * day;

/** Starts the replays that are due by time alone: each day, or as rarely as their cost asks. For the daily timer. */
export async function replayDaily(parts: Parts, now: Instant): Promise<void> {
  const jobs = [...parts.catalog().values()].filter(isReplayed);
  await eachJob(
    parts,
    'replaying',
    jobs,
    together,
    ({ job }) => job.name,
    (deployed) => replayIfDue(parts, deployed, now),
  );
}

async function replayIfDue(parts: Parts, deployed: Deployed, now: Instant): Promise<void> {
  const { name, replay } = deployed.job;
  const row = (await parts.store.jobs.get(name))?.value;
  if (!row || row.paused) return;
  const ownMs = await containerMsADay(parts, name, now);
  // A job that never succeeded has nothing to be compared with.
  if (ownMs === undefined) return;
  const known = (await parts.store.replays.state(name))?.value ?? newReplayState(name);
  const days = everyDays(known.roundMs, ownMs, replay?.share ?? 0);
  if (days !== known.everyDays) {
    await amendReplays(parts, name, (state) => (state.everyDays === days ? undefined : { ...state, everyDays: days }));
  }
  if (isDue({ ...known, everyDays: days }, now)) await wantReplay(parts, deployed, 'daily', now);
}

/** Of its latest runs, in ms a day; undefined: none has succeeded. */
async function containerMsADay({ store }: Parts, job: string, now: Instant): Promise<number | undefined> {
  let [sum, read, oldest, good] = [0, 0, now, false];
  for await (const { value: run } of store.runs.list(job, { from: now - window, to: now, page: mostRuns })) {
    for (const { startedAt, endedAt } of run.attempts) sum += Math.max((endedAt ?? startedAt) - startedAt, 0);
    good ||= run.state === 'succeeded';
    oldest = run.slot;
    if (++read === mostRuns) break;
  }
  return good ? sum / Math.max((now - oldest) / day, 1) : undefined;
}
