import { type Instant, second } from '../../instant.ts';
import type { Deployed } from '../../job/catalog.ts';
import { onExecutor, type Parts } from '../../parts.ts';
import type { JobRow } from '../../run/job-row.ts';
import { placeOrder } from '../../run/place.ts';
import { forRun } from '../../run/replay.ts';
import type { Run } from '../../run/run.ts';
import type { LaunchMessage } from '../../store/launches.ts';
import { enter, leave, leaveUnbegun, stillHas } from '../capacity.ts';
import { isRegistered } from '../deployments.ts';
import { giveUp, tooLate } from '../give-up.ts';
import { leaveLine, messageOf } from '../line.ts';
import { parkForPlace } from '../park.ts';
import { passOn } from '../pass-on.ts';
import { isRemoved, removedChange } from '../removed.ts';
import { start } from '../start.ts';
import { repairAfter } from '../waiting.ts';
import { isReplayed } from './request.ts';

/** While launches wait that are expected, a replay waits this long. */
const later = 30 * second;

/** Starts the replay that a message asks for. It holds no job and delays no run: those that are expected go first. */
export async function launchReplay(parts: Parts, message: LaunchMessage, now: Instant): Promise<void> {
  const { store } = parts;
  const found = await store.runs.get(message.job, message.run);
  if (!found || !isWanted(found.value, message, now)) return;
  const run = found.value;
  const deployed = parts.catalog().get(run.job);
  const row = await store.jobs.get(run.job);
  const order = deployed && placeOrder(deployed.job, run);
  const over = endOf(parts, deployed, row?.value, run, now);
  // A newer package may know it, whose hosts take the message then; or its code is not in the store yet.
  if (over || !deployed || order === undefined || !isRegistered(parts.catalog(), run.job)) {
    await leaveLine(parts, message, order, now);
    return over ? giveUp(parts, found, over, now) : passOn(parts, message, run, now);
  }
  const waiting = await store.launches.waitingSince(now);
  if (waiting !== undefined && waiting < now - second) {
    await leaveLine(parts, message, order, now);
    return store.launches.put(messageOf(message), now + later, now);
  }
  const entry = await enter(parts, message, order, now);
  if (entry.do === 'later') return store.launches.put(message, entry.at, now);
  if (entry.do === 'begun') return;
  if (entry.do === 'wait') return parkForPlace(parts, found, now);
  try {
    if (message.inLine) await store.active.unpark(run.job, run.id, now + repairAfter);
    const ours = () => stillHas(parts, message, now, entry.number);
    await start(onExecutor(parts, deployed.job.executor), forRun(deployed, run), found, ours, now);
  } catch (error) {
    await leaveUnbegun(parts, message, now, entry.number);
    throw error;
  }
  const current = (await store.runs.get(run.job, run.id))?.value;
  const underWay = current?.state === 'starting' || current?.state === 'running';
  if (!underWay || current.attempts.length !== message.attempt) await leave(parts, message, now, entry.number);
}

/** Why it is not run at all; undefined: it is. */
function endOf(parts: Parts, deployed: Deployed | undefined, row: JobRow | undefined, run: Run, now: Instant) {
  if (!deployed) return row && !isRemoved(parts.catalog(), row, now) ? undefined : removedChange(run.job);
  if (!isReplayed(deployed)) return { state: 'cancelled', reason: 'the job is not replayed any more' } as const;
  if (row?.paused) return { state: 'skipped', reasonCode: 'paused', reason: 'the job is paused' } as const;
  return tooLate(run, now);
}

function isWanted(run: Run, { attempt }: LaunchMessage, now: Instant): boolean {
  if (run.attempts.length !== attempt - 1) return false;
  return run.state === 'queued' || (run.state === 'retrying' && (run.nextAttemptAt ?? 0) <= now + second);
}
