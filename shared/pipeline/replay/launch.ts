import { type Instant, second } from '../../instant.ts';
import { onExecutor, type Parts } from '../../parts.ts';
import { placeOrder } from '../../run/place.ts';
import { forRun } from '../../run/replay.ts';
import type { Run } from '../../run/run.ts';
import type { LaunchMessage } from '../../store/launches.ts';
import { enter, leave, leaveLine, messageOf } from '../capacity.ts';
import { isRegistered } from '../deployments.ts';
import { giveUp, tooLate } from '../give-up.ts';
import { parkForPlace } from '../park.ts';
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
  if (!deployed) {
    // A newer package may know it, whose hosts take the message then; those behind it must not wait for that.
    await leaveLine(parts, message, undefined, now);
    if (row && !isRemoved(parts.catalog(), row.value, now))
      return store.launches.put(messageOf(message), now + later, now);
    return giveUp(parts, found, removedChange(run.job), now);
  }
  if (!isReplayed(deployed)) {
    return giveUp(parts, found, { state: 'cancelled', reason: 'the job is not replayed any more' }, now);
  }
  if (row?.value.paused) {
    return giveUp(parts, found, { state: 'skipped', reasonCode: 'paused', reason: 'the job is paused' }, now);
  }
  const late = tooLate(run, now);
  if (late) return giveUp(parts, found, late, now);
  const order = placeOrder(deployed.job, run);
  // The watch asks again.
  if (!isRegistered(parts.catalog(), run.job)) return leaveLine(parts, message, order, now);
  const waiting = await store.launches.waitingSince(now);
  if (waiting !== undefined && waiting < now - second) {
    await leaveLine(parts, message, order, now);
    return store.launches.put(messageOf(message), now + later, now);
  }
  const entry = await enter(parts, message, order, now);
  if (entry.do === 'later') return store.launches.put(message, entry.at, now);
  if (entry.do === 'wait') return parkForPlace(parts, found, now);
  if (message.inLine) await store.active.unpark(run.job, run.id, now + repairAfter);
  await start(onExecutor(parts, deployed.job.executor), forRun(deployed, run), found, now);
  const current = (await store.runs.get(run.job, run.id))?.value;
  const underWay = current?.state === 'starting' || current?.state === 'running';
  if (!underWay || current.attempts.length !== message.attempt) await leave(parts, message, now, entry.number);
}

function isWanted(run: Run, { attempt }: LaunchMessage, now: Instant): boolean {
  if (run.attempts.length !== attempt - 1) return false;
  return run.state === 'queued' || (run.state === 'retrying' && (run.nextAttemptAt ?? 0) <= now + second);
}
