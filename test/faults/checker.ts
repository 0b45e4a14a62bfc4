import { type Instant, iso, minute, second } from '../../shared/instant.ts';
import { isFinal, parseRunId, type Run, runId } from '../../shared/run/run.ts';
import type { Store } from '../../shared/store/store.ts';
import type { Expectation } from './expectation.ts';
import { type Marks, mostAtOnce, readMarks } from './marks.ts';
import { newVerdict, type Verdict } from './verdict.ts';

export interface Course {
  store: Store;
  jobs: ReadonlyMap<string, Expectation>;
  /** Slots that count. */
  from: Instant;
  to: Instant;
  marks: string;
  /** Attempts whose shim the harness killed, as `RUN ATTEMPT`: their result may be lost. */
  killed: ReadonlySet<string>;
  deaths: ReadonlyMap<string, Instant>;
  limit: number | undefined;
  now: Instant;
  /** There was little patience: a run that is to be looked at later is in order. */
  hurried: boolean;
}

/** The watch looks at a run within this time of when it has to. */
const lookedAtWithin = 90 * second;

/** Matches expected slots to rows, and rows to the marks that the jobs left, in the way of Jepsen's checker for Chronos. */
export async function check(course: Course): Promise<Verdict> {
  const { store, jobs, to, limit } = course;
  const marks = await readMarks(course.marks);
  const verdict = newVerdict();
  verdict.attempts = marks.begun.size;
  const known = new Set<string>();
  const pending = await pendingRuns(course);
  verdict.pending = pending.size;
  for (const [job, expectation] of jobs) {
    const rows = new Map<string, Run>();
    for await (const { value } of store.runs.list(job, { to, page: 1_000 })) rows.set(value.id, value);
    for (const row of rows.values()) {
      for (const { number, state } of row.attempts) if (state !== 'abandoned') known.add(`${job}.${row.id} ${number}`);
      checkRow(verdict, row, rows, marks, course, expectation, pending);
    }
    checkSlots(verdict, job, rows, course, expectation);
  }
  const { duplicate, extra, stuck } = verdict.wrong;
  for (const [attempt, times] of marks.begun) {
    if (times.length > 1) duplicate.push(`${attempt} began ${times.length} times`);
    const run = attempt.split(' ')[0]?.split('.').slice(1).join('.') ?? '';
    if (!known.has(attempt) && counts(run, to)) extra.push(`${attempt} ran and no row knows it`);
  }
  for await (const { value } of store.active.all()) {
    const name = `${value.job}.${value.run}`;
    if (counts(value.run, to) && !pending.has(name)) stuck.push(`active: ${name}`);
  }
  for await (const { value } of store.jobs.all(() => {})) {
    for (const { run } of value.running) {
      if (counts(run, to) && !pending.has(`${value.name}.${run}`)) stuck.push(`${value.name} is held by ${run}`);
    }
  }
  const { most, at } = mostAtOnce(marks, course.deaths);
  verdict.mostAtOnce = most;
  if (limit !== undefined && most > limit) verdict.wrong['over the limit'].push(`${most} at ${iso(at)}`);
  return verdict;
}

/** Slots after the end go on to run; they are no one's business here. */
function counts(run: string, to: Instant): boolean {
  return (parseRunId(run)?.slot ?? 0) <= to;
}

/** Runs that are to be looked at later: nothing says that they are stuck. */
async function pendingRuns({ store, to, now, hurried }: Course): Promise<Set<string>> {
  const pending = new Set<string>();
  for await (const { value } of store.active.all()) {
    const { job, run, checkAfter } = value;
    if (hurried && counts(run, to) && checkAfter > now - lookedAtWithin) pending.add(`${job}.${run}`);
  }
  return pending;
}

function checkSlots(
  verdict: Verdict,
  job: string,
  rows: Map<string, Run>,
  { from, to }: Course,
  { required }: Expectation,
): void {
  for (let slot = Math.ceil(from / minute) * minute; slot <= to; slot += minute) {
    if (!required(slot)) continue;
    verdict.slots += 1;
    if (!rows.has(runId(slot, 'schedule'))) verdict.wrong.missed.push(`${job} ${iso(slot)} has no row`);
  }
}

function checkRow(
  verdict: Verdict,
  row: Run,
  rows: Map<string, Run>,
  marks: Marks,
  { killed }: Course,
  { allowed, cancelledFrom }: Expectation,
  pending: ReadonlySet<string>,
): void {
  const { wrong } = verdict;
  const name = `${row.job}.${row.id}`;
  const expected = row.slot % minute === 0 && row.trigger !== 'manual' && allowed(row.slot);
  if (!expected) wrong.extra.push(`${name} was never expected`);
  const { state, reason } = row;
  if (!isFinal(state) && pending.has(name)) return;
  if (!isFinal(state)) wrong.stuck.push(`${name} is ${state}`);
  else if (state === 'succeeded') verdict.succeeded += 1;
  else if (state === 'skipped' && row.reasonCode === 'overlap') {
    verdict.skipped += 1;
    const why = wronglySkipped(row, rows, marks);
    if (why) wrong['wrongly skipped'].push(`${name} ${reason}: ${why}`);
  } else if (state === 'cancelled' && (row.endedAt ?? row.createdAt) >= (cancelledFrom ?? Number.POSITIVE_INFINITY)) {
    verdict.cancelled += 1;
  } else if (state === 'missed' || state === 'skipped' || state === 'cancelled') {
    wrong.missed.push(`${name} ${state}: ${reason}`);
  } else verdict.failed.push(`${name} ${state}: ${row.attempts.map((one) => one.error ?? one.state).join(' | ')}`);
  for (const attempt of row.attempts) {
    const mark = `${name} ${attempt.number}`;
    if (attempt.state === 'abandoned' && marks.begun.has(mark)) wrong.extra.push(`${mark} ran though abandoned`);
    if (attempt.state === 'lost' && marks.ended.has(mark) && !killed.has(mark)) wrong.lost.push(mark);
    if (attempt.state === 'succeeded' && !marks.ended.has(mark)) wrong.extra.push(`${mark} succeeded without running`);
    if (attempt.state === 'succeeded' && row.metrics.answer !== 42) wrong.lost.push(`${mark}: no metrics`);
  }
}

/** A run that was over by then is no reason; nor is one that never ran. */
function wronglySkipped(row: Run, rows: Map<string, Run>, marks: Marks): string | undefined {
  const other = [...rows.values()].find(({ id }) => row.reason?.startsWith(id));
  if (!other) return 'no run is named';
  if (!other.attempts.some(({ number }) => marks.begun.has(`${row.job}.${other.id} ${number}`))) return 'it never ran';
  const over = (other.endedAt ?? 0) < (row.endedAt ?? row.createdAt) - 30 * second;
  return over && isFinal(other.state) ? `it was over at ${iso(other.endedAt ?? 0)}` : undefined;
}
