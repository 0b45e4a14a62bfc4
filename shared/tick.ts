import { type Due, dueSlots } from './due.ts';
import { type Instant, minute } from './instant.ts';
import type { JobSchedule } from './job.ts';
import type { Parts } from './parts.ts';
import { registerJob } from './register.ts';
import { newRun, type Run, runId } from './run.ts';
import { parseSchedule } from './schedule/schedule.ts';
import type { JobRow, ScheduleText } from './store/jobs.ts';

/** Slots are claimed this long before their instant, so that they start on time even when a tick is late. */
export const lookAhead = minute;

/** So many jobs are claimed at once. */
const together = 16;

/** A queued run is looked at again this long after its slot. */
const launchGrace = 2 * minute;

/**
 * Claims every slot between the cursor and a minute from now, whoever calls it and however often: each slot gets one
 * row. The cursor moves only after all of them are claimed, so a tick that dies is simply done again.
 */
export async function tick(parts: Parts, now: Instant): Promise<void> {
  const { store, person } = parts;
  const cursor = await store.marks.get('cursor');
  const until = now + lookAhead;
  // The very first tick looks back at nothing.
  const after = cursor ?? now;
  const names = [...parts.catalog().keys()];
  for (let at = 0; at < names.length; at += together) {
    await Promise.all(names.slice(at, at + together).map((name) => tickJob(parts, name, after, until, now)));
  }
  await store.marks.advance('cursor', until, person);
  await store.marks.advance('heartbeat', now, person);
}

async function tickJob(parts: Parts, name: string, after: Instant, until: Instant, now: Instant): Promise<void> {
  const deployed = parts.catalog().get(name);
  if (!deployed || deployed.job.status === 'decommissioned' || after >= until) return;
  // First in memory: most jobs are not due, and cost no request. An old schedule matters only after an outage.
  const due = dueSlots(deployed.job.schedules, { after, until }, now);
  const away = now - after > lookAhead;
  if (due.run.length + due.missed.length === 0 && !away) return;

  const found = await parts.store.jobs.get(name);
  const row = found?.value ?? (await registerJob(parts, deployed, undefined, now));
  await claim(parts, row, expected(row, deployed.job.schedules, after, until, now), now);
}

/** What was expected of the job: by its old schedule until the change became known, by the present one since. */
function expected(row: JobRow, schedules: JobSchedule[], after: Instant, until: Instant, now: Instant): Due {
  const known = Math.max(after, row.since);
  const changed = Math.min(Math.max(known, row.schedulesSince), until);
  const before = dueSlots(row.previousSchedules.map(readSchedule), { after: known, until: changed }, now);
  const since = dueSlots(schedules, { after: changed, until }, now);
  return { run: [...before.run, ...since.run], missed: [...before.missed, ...since.missed] };
}

function readSchedule({ cron, timeZone, ...policy }: ScheduleText): JobSchedule {
  return { schedule: parseSchedule(cron, timeZone), ...policy };
}

async function claim(parts: Parts, row: JobRow, due: Due, now: Instant): Promise<void> {
  const { store, journal } = parts;
  const missed = due.missed.map(({ slot, code, reason, slots }) =>
    newRun(row.name, slot, 'schedule', now, { state: 'missed', reasonCode: code, reason, slots, endedAt: now }),
  );
  await store.runs.insertAll(missed);
  for (const run of missed) journal({ type: 'run-not-started', run });
  for (const { slot, late, startBy, finishBy } of due.run) {
    // Late or not, the slot has one id: it can be claimed only once.
    const run = newRun(row.name, slot, late ? 'catch-up' : 'schedule', now, {
      id: runId(slot, 'schedule'),
      startBy,
      finishBy,
    });
    await claimSlot(parts, row, run, now);
  }
}

async function claimSlot(parts: Parts, { paused }: JobRow, run: Run, now: Instant): Promise<void> {
  const { store, journal } = parts;
  if (paused) {
    const reason = `paused by ${paused.by}${paused.why ? `: ${paused.why}` : ''}`;
    const skipped: Run = { ...run, state: 'skipped', reasonCode: 'paused', reason, endedAt: now };
    if (await store.runs.insert(skipped)) journal({ type: 'run-not-started', run: skipped });
    return;
  }
  await enqueue(parts, run, now);
}

/**
 * Claims a run and queues its first attempt at its slot. The entry for the watch comes first, so that a crash anywhere
 * in here is repaired; the row is the claim; the message comes last.
 * @returns false when the row existed already: somebody else claimed it.
 */
export async function enqueue({ store, journal }: Parts, run: Run, now: Instant, message = true): Promise<boolean> {
  const checkAfter = Math.max(run.slot, now) + launchGrace;
  await store.active.insert({ job: run.job, run: run.id, checkAfter, since: now });
  if (!(await store.runs.insert(run))) return false;
  if (message) await store.launches.put({ job: run.job, run: run.id, attempt: 1 }, run.slot, now);
  journal({ type: 'run-claimed', run });
  return true;
}
