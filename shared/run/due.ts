import { type Instant, minute } from '../instant.ts';
import type { JobSchedule } from '../job/job.ts';
import { countSlots, latestSlot, nextSlots, parseSchedule, slotsBetween } from '../schedule/schedule.ts';
import type { ReasonCode } from './run.ts';

/** What a tick must do about the slots of one job in a stretch of time. */
export interface Due {
  run: DueSlot[];
  missed: MissedSlot[];
}

export interface DueSlot {
  slot: Instant;
  /** It is past already: an outage made it late. */
  late: boolean;
  startBy: Instant | null;
  finishBy: Instant | null;
}

export interface MissedSlot {
  slot: Instant;
  code: ReasonCode;
  reason: string;
  /** More than 1: this one row tells of that many slots, `slot` being the newest of them. */
  slots: number;
}

export interface Stretch {
  /** Exclusive. */
  after: Instant;
  /** Inclusive. */
  until: Instant;
}

/** A slot this much past is still on time: ticks come once a minute. */
const onTime = minute;

/** Missed slots of one schedule told one by one, newest first; older ones share a row. A day of every minute. */
export const toldOneByOne = 1_440;

/** Decides for each slot in `stretch`: run it, or record it as missed, by the catch-up policy of its schedule. */
export function dueSlots(schedules: readonly JobSchedule[], stretch: Stretch, now: Instant): Due {
  const run = new Map<Instant, DueSlot>();
  const missed = new Map<Instant, MissedSlot>();
  for (const schedule of schedules) {
    const due = dueOf(schedule, stretch, now);
    for (const slot of due.run) run.set(slot.slot, both(run.get(slot.slot), slot));
    for (const slot of due.missed) missed.set(slot.slot, slot);
  }
  for (const slot of run.keys()) missed.delete(slot);
  return { run: inOrder(run), missed: inOrder(missed) };
}

/** One run for two schedules that meet: it starts as long as one of them wants it, and ends in time for both. */
function both(one: DueSlot | undefined, other: DueSlot): DueSlot {
  if (!one) return other;
  const patient = one.startBy === null || other.startBy === null;
  const deadlines = [one.finishBy, other.finishBy].filter((at) => at !== null);
  return {
    ...other,
    startBy: patient ? null : Math.max(one.startBy ?? 0, other.startBy ?? 0),
    finishBy: deadlines.length > 0 ? Math.min(...deadlines) : null,
  };
}

function dueOf(job: JobSchedule, { after, until }: Stretch, now: Instant): Due {
  const past = Math.min(until, now - onTime);
  const fresh = slotsBetween(job.schedule, Math.max(after, past), until);
  const run = fresh.map((slot) => dueSlot(job, slot, false));
  if (past <= after) return { run, missed: [] };

  const late = lateSlots(job, after, past).filter((slot) => inTime(job, slot, now));
  const caught = late.map((slot) => dueSlot(job, slot, true));
  const oldest = late[0] ?? Number.POSITIVE_INFINITY;
  return { run: [...caught, ...run], missed: missedSlots(job, { after, until: past }, oldest, new Set(late), now) };
}

/** The past slots that the policy wants run, oldest first. */
function lateSlots({ schedule, catchUp, catchUpLimit }: JobSchedule, after: Instant, past: Instant): Instant[] {
  if (catchUp === 'none') return [];
  if (catchUp === 'all') return lastSlots(schedule, after, past, catchUpLimit);
  const latest = latestSlot(schedule, after, past);
  return latest === undefined ? [] : [latest];
}

function missedSlots(job: JobSchedule, stretch: Stretch, oldestRun: Instant, caught: Set<Instant>, now: Instant) {
  const told = lastSlots(job.schedule, stretch.after, stretch.until, toldOneByOne);
  const missed: MissedSlot[] = told
    .filter((slot) => !caught.has(slot))
    .map((slot) => ({ slot, slots: 1, ...whyMissed(job, slot, oldestRun, now) }));
  const older = told[0] === undefined ? undefined : latestSlot(job.schedule, stretch.after, told[0] - 1);
  if (older !== undefined) {
    const slots = countSlots(job.schedule, stretch.after, older);
    const { code, reason } = whyMissed(job, older, oldestRun, now);
    missed.push({ slot: older, slots, code, reason: `${slots} slots up to here: ${reason}` });
  }
  return missed;
}

function whyMissed(
  job: JobSchedule,
  slot: Instant,
  oldestRun: Instant,
  now: Instant,
): { code: ReasonCode; reason: string } {
  if (!inTime(job, slot, now)) {
    const limit = Math.round((job.mustStartWithinMs ?? 0) / 1_000);
    return { code: 'start-within', reason: `the service was away, and it must start within ${limit} s` };
  }
  if (job.catchUp === 'all' && slot < oldestRun) {
    return {
      code: 'catch-up-limit',
      reason: `the service was away, and at most ${job.catchUpLimit} runs are caught up`,
    };
  }
  return { code: 'outage', reason: `the service was away (catchUp: ${job.catchUp})` };
}

/** The newest `count` slots of a stretch, oldest first, without walking all of it. */
function lastSlots(schedule: JobSchedule['schedule'], after: Instant, until: Instant, count: number): Instant[] {
  for (let span = count * minute; ; span *= 8) {
    const from = Math.max(after, until - span);
    const slots = slotsBetween(schedule, from, until);
    if (slots.length >= count || from === after) return slots.slice(-count);
  }
}

function inTime({ mustStartWithinMs }: JobSchedule, slot: Instant, now: Instant): boolean {
  return mustStartWithinMs === null || now <= slot + mustStartWithinMs;
}

function dueSlot(job: JobSchedule, slot: Instant, late: boolean): DueSlot {
  const startBy = job.mustStartWithinMs === null ? null : slot + job.mustStartWithinMs;
  return { slot, late, startBy, finishBy: finishBy(job, slot) };
}

/** The first time after the slot at which the clock on the job's wall shows `mustFinishBy`. */
function finishBy({ mustFinishBy, schedule }: JobSchedule, slot: Instant): Instant | null {
  if (mustFinishBy === null) return null;
  const [hours, minutes] = mustFinishBy.split(':').map(Number);
  return nextSlots(parseSchedule(`${minutes} ${hours} * * *`, schedule.timeZone), slot, 1)[0] ?? null;
}

function inOrder<T>(slots: Map<Instant, T>): T[] {
  return [...slots].sort(([a], [b]) => a - b).map(([, slot]) => slot);
}
