import { type Instant, minute } from '../instant.ts';
import type { Job, JobSchedule } from '../job/job.ts';
import { type Closed, whyClosed } from '../schedule/calendar.ts';
import { countSlots, dueBy, latestSlot, slotsBetween } from '../schedule/schedule.ts';
import type { ReasonCode } from './run.ts';

/** What a tick must do about the slots of one job in a stretch of time. */
export interface Due {
  run: DueSlot[];
  /** What gets a row and is not run. */
  missed: MissedSlot[];
}

export interface DueSlot {
  slot: Instant;
  /** It is past already: an outage made it late. */
  late: boolean;
  startBy: Instant | null;
  finishBy: Instant | null;
  /** What the run gets after the job's command: of the first schedule that names the slot. */
  args: string[];
}

export interface MissedSlot {
  slot: Instant;
  /** `skipped`: by the job's calendar or blackout it was not expected, so that no one is alerted. */
  state: 'missed' | 'skipped';
  code: ReasonCode;
  reason: string;
  /** More than 1: this one row stands for that many slots, `slot` being the newest of them. */
  slots: number;
}

export interface Stretch {
  /** Exclusive. */
  after: Instant;
  /** Inclusive. */
  until: Instant;
}

/**
 * A slot this much past is still on time. Ticks come once a minute, and slots on one: half a minute more, and a tick that is
 * a few ms late or early decides nothing.
 */
export const onTime = 1.5 * minute;

/** Missed slots of one schedule recorded one by one, newest first; older ones share a row. A day of every minute. */
export const recordedOneByOne = 1_440;

/** Decides for each slot in `stretch`: run it, or record why not, by its schedule's catch-up policy and what closes the job. */
export function dueSlots(
  { schedules, closed }: Pick<Job, 'schedules' | 'closed'>,
  stretch: Stretch,
  now: Instant,
): Due {
  const run = new Map<Instant, DueSlot>();
  const missed = new Map<Instant, MissedSlot>();
  for (const schedule of schedules) {
    const due = dueOf({ ...schedule, closed }, stretch, now);
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
    args: one.args,
  };
}

/** The arguments that a slot's run gets: of the first schedule that names it, else of the first. */
export function argsOf(schedules: readonly JobSchedule[], slot: Instant): string[] {
  const named = schedules.find(({ schedule }) => slotsBetween(schedule, slot - 1, slot).length > 0);
  return (named ?? schedules[0])?.args ?? [];
}

interface Expected extends JobSchedule {
  closed: Closed;
}

function dueOf(job: Expected, { after, until }: Stretch, now: Instant): Due {
  const past = Math.min(until, now - onTime);
  const fresh = slotsBetween(job.schedule, Math.max(after, past), until);
  const run = fresh.filter((slot) => isOpen(job, slot)).map((slot) => dueSlot(job, slot, false));
  const skipped = fresh.filter((slot) => !isOpen(job, slot)).map((slot) => notRun(job, slot, slot, now));
  if (past <= after) return { run, missed: skipped };

  const late = lateSlots(job, after, past).filter((slot) => inTime(job, slot, now));
  const caught = late.map((slot) => dueSlot(job, slot, true));
  const oldest = late[0] ?? Number.POSITIVE_INFINITY;
  const missed = missedSlots(job, { after, until: past }, oldest, new Set(late), now);
  return { run: [...caught, ...run], missed: [...missed, ...skipped] };
}

/** The past slots that the policy wants run, oldest first. */
function lateSlots(job: Expected, after: Instant, past: Instant): Instant[] {
  if (job.catchUp === 'none') return [];
  const wanted = job.catchUp === 'all' ? job.catchUpLimit : 1;
  const { calendars, blackouts } = job.closed;
  if (calendars.length + blackouts.length === 0) return lastSlots(job.schedule, after, past, wanted);
  // Behind a long blackout no one looks further than the slots that get rows of their own.
  const looked = lastSlots(job.schedule, after, past, Math.max(recordedOneByOne, wanted));
  return looked.filter((slot) => isOpen(job, slot)).slice(-wanted);
}

function missedSlots(job: Expected, stretch: Stretch, oldestRun: Instant, caught: Set<Instant>, now: Instant) {
  const single = lastSlots(job.schedule, stretch.after, stretch.until, recordedOneByOne);
  const missed = single.filter((slot) => !caught.has(slot)).map((slot) => notRun(job, slot, oldestRun, now));
  const first = single[0];
  const older = first === undefined ? undefined : latestSlot(job.schedule, stretch.after, first - 1);
  if (older !== undefined) {
    const slots = countSlots(job.schedule, stretch.after, older);
    const one = notRun(job, older, oldestRun, now);
    missed.push({ ...one, slots, reason: `${slots} slots up to here: ${one.reason}` });
  }
  return missed;
}

function notRun(job: Expected, slot: Instant, oldestRun: Instant, now: Instant): MissedSlot {
  const shut = whyClosed(job.closed, job.schedule.timeZone, slot);
  if (shut) return { slot, state: 'skipped', slots: 1, ...shut };
  return { slot, state: 'missed', slots: 1, ...whyMissed(job, slot, oldestRun, now) };
}

function isOpen({ closed, schedule }: Expected, slot: Instant): boolean {
  return whyClosed(closed, schedule.timeZone, slot) === undefined;
}

function whyMissed(
  job: JobSchedule,
  slot: Instant,
  oldestRun: Instant,
  now: Instant,
): { code: ReasonCode; reason: string } {
  if (!inTime(job, slot, now)) {
    const limit = Math.round((job.mustStartWithinMs ?? 0) / 1_000);
    return { code: 'start-within', reason: `the service was unavailable, and it must start within ${limit} s` };
  }
  if (job.catchUp === 'all' && slot < oldestRun) {
    return {
      code: 'catch-up-limit',
      reason: `the service was unavailable, and at most ${job.catchUpLimit} runs are caught up`,
    };
  }
  return { code: 'outage', reason: `the service was unavailable (catchUp: ${job.catchUp})` };
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
  const finishBy = job.mustFinishBy === null ? null : dueBy(job.schedule, slot, job.mustFinishBy);
  return { slot, late, startBy, finishBy, args: job.args };
}

function inOrder<T>(slots: Map<Instant, T>): T[] {
  return [...slots].sort(([a], [b]) => a - b).map(([, slot]) => slot);
}
