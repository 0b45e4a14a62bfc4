import { readFile } from 'node:fs/promises';
import { type Instant, iso, minute } from '../../shared/instant.ts';
import { isFinal, parseRunId, type Run, runId } from '../../shared/run/run.ts';
import type { Store } from '../../shared/store/store.ts';

/** What a run of the harness has to show; everything but `slots`, `succeeded`, `attempts` and `failed` must be 0. */
export interface Verdict {
  slots: number;
  succeeded: number;
  attempts: number;
  /** Ended otherwise, honestly: every attempt was killed by the harness. */
  failed: number;
  missed: string[];
  duplicate: string[];
  extra: string[];
  lostResults: string[];
  stuck: string[];
}

interface Marks {
  begun: Map<string, number>;
  ended: Set<string>;
}

/**
 * Matches expected slots to rows, and rows to the marks that the jobs left, in the way of Jepsen's checker for Chronos.
 * @param killed attempts whose shim the harness killed, as `RUN ATTEMPT`: their result may be lost
 */
export async function check(
  store: Store,
  jobs: string[],
  from: Instant,
  to: Instant,
  marksFile: string,
  killed: ReadonlySet<string>,
): Promise<Verdict> {
  const marks = await readMarks(marksFile);
  const verdict: Verdict = {
    slots: 0,
    succeeded: 0,
    attempts: marks.begun.size,
    failed: 0,
    missed: [],
    duplicate: [],
    extra: [],
    lostResults: [],
    stuck: [],
  };
  const known = new Set<string>();
  for (const job of jobs) {
    const rows = new Map<string, Run>();
    for await (const { value } of store.runs.list(job, { to, page: 1_000 })) rows.set(value.id, value);
    for (const row of rows.values()) {
      for (const { number, state } of row.attempts) if (state !== 'abandoned') known.add(`${job}.${row.id} ${number}`);
    }
    checkSlots(verdict, job, rows, from, to);
    checkRows(verdict, job, rows, marks, killed);
  }
  for (const [attempt, count] of marks.begun) {
    if (count > 1) verdict.duplicate.push(`${attempt} began ${count} times`);
    if (!known.has(attempt) && counts(attempt.split(' ')[0]?.split('.')[1] ?? '', to))
      verdict.extra.push(`${attempt} ran and no row knows it`);
  }
  for await (const { value } of store.active.all()) {
    if (counts(value.run, to)) verdict.stuck.push(`active: ${value.job}.${value.run}`);
  }
  for await (const { value } of store.jobs.all()) {
    for (const { run } of value.running) {
      if (counts(run, to)) verdict.stuck.push(`${value.name} is held by ${run}`);
    }
  }
  return verdict;
}

/** Slots after the end go on to run; they are no one's business here. */
function counts(run: string, to: Instant): boolean {
  return (parseRunId(run)?.slot ?? 0) <= to;
}

function checkSlots(verdict: Verdict, job: string, rows: Map<string, Run>, from: Instant, to: Instant): void {
  for (let slot = Math.ceil(from / minute) * minute; slot <= to; slot += minute) {
    verdict.slots += 1;
    const row = rows.get(runId(slot, 'schedule'));
    if (!row) verdict.missed.push(`${job} ${iso(slot)} has no row`);
    else if (row.state === 'missed' || row.state === 'skipped') {
      verdict.missed.push(`${job} ${iso(slot)} ${row.state}: ${row.reason}`);
    }
  }
}

function checkRows(
  verdict: Verdict,
  job: string,
  rows: Map<string, Run>,
  marks: Marks,
  killed: ReadonlySet<string>,
): void {
  for (const row of rows.values()) {
    const name = `${job}.${row.id}`;
    if (row.slot % minute !== 0 || row.trigger === 'manual') verdict.extra.push(`${name} was never expected`);
    if (!isFinal(row.state)) verdict.stuck.push(`${name} is ${row.state}`);
    if (row.state === 'succeeded') verdict.succeeded += 1;
    else if (isFinal(row.state) && row.state !== 'missed' && row.state !== 'skipped') verdict.failed += 1;
    for (const attempt of row.attempts) {
      const mark = `${name} ${attempt.number}`;
      if (attempt.state === 'abandoned' && marks.begun.has(mark)) verdict.extra.push(`${mark} ran though abandoned`);
      if (attempt.state === 'lost' && marks.ended.has(mark) && !killed.has(mark)) verdict.lostResults.push(mark);
      if (attempt.state === 'succeeded' && !marks.ended.has(mark))
        verdict.extra.push(`${mark} succeeded without running`);
      if (attempt.state === 'succeeded' && row.metrics.answer !== 42) verdict.lostResults.push(`${mark}: no metrics`);
    }
  }
}

async function readMarks(file: string): Promise<Marks> {
  const marks: Marks = { begun: new Map(), ended: new Set() };
  for (const line of (await readFile(file, 'utf8').catch(() => '')).split('\n')) {
    const [what, run, attempt] = line.split(' ');
    const key = `${run} ${attempt}`;
    if (what === 'begin') marks.begun.set(key, (marks.begun.get(key) ?? 0) + 1);
    if (what === 'end') marks.ended.add(key);
  }
  return marks;
}
