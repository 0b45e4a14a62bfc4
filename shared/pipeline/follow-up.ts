import { sendReceipts } from '../alerts/receipts.ts';
import { seeEnds } from '../alerts/see.ts';
import { hour, type Instant, minute } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { AttemptResult } from '../run/attempt.ts';
import type { JobRow } from '../run/job-row.ts';
import { isBegun, isFinal, isReplay, type Run } from '../run/run.ts';
import type { ActiveRun } from '../store/active.ts';
import type { Versioned } from '../store/table.ts';
import { leave } from './capacity.ts';
import { seeDrift } from './drift.ts';
import { recordMetrics } from './measure.ts';
import { nextDeadline } from './notice.ts';
import { release } from './release.ts';
import { seeReplay } from './replay/end.ts';
import { seeVersions } from './replay/soon.ts';
import { type Results, results } from './results.ts';

/** One thing that follows from the end of runs. */
interface Step {
  /** Kept in the entry of a run whose follow-up is not complete. */
  name: string;
  /**
   * Safe to do again.
   * @param runs final ones of one job, oldest slot first; mostly one
   */
  do(parts: Parts, runs: readonly Run[], now: Instant, found: Found): Promise<void>;
}

/** What one step leaves to the next. */
interface Found {
  /** What the last attempts of the runs have left. */
  results: Results;
  /** The job after it was let go; undefined: not known. */
  row?: JobRow | undefined;
}

/**
 * All that follows from a final run, however it ended: a result, a refusal, a cancel, a skip, a missed slot. One stage
 * after the other, the steps of one side by side.
 */
const ofRun: readonly (readonly Step[])[] = [
  [{ name: 'report', do: reportNotStarted }],
  [{ name: 'place', do: leavePlaces }],
  [{ name: 'release', do: releaseJob }],
  [
    { name: 'recent', do: ({ store }, runs) => store.recent.append(runs) },
    { name: 'metrics', do: (parts, runs, _, { results }) => recordMetrics(parts, runs, results) },
    { name: 'alert', do: (parts, runs, now, { row }) => seeEnds(parts, runs, now, row) },
    { name: 'receipt', do: sendReceipts },
    { name: 'drift', do: (parts, runs, now, { results }) => seeDrift(parts, runs, now, results) },
  ],
  [{ name: 'replay', do: seeVersions }],
];

/** Of a replay it counts in no history, holds no job, and alerts only through findings. */
const ofReplay: readonly (readonly Step[])[] = [
  [{ name: 'place', do: leavePlaces }],
  [{ name: 'replay', do: seeReplay }],
];

/** What is known already when a follow-up begins. */
interface Known {
  /** Of the watch: it says what an earlier follow-up has done. */
  entry?: ActiveRun | undefined;
  /** Of the last attempt. */
  result?: AttemptResult | undefined;
}

/**
 * What follows from the state that a run has reached: the next attempt, or the steps above. Safe to do again. A step
 * that fails stops no other; as long as one has failed, the run's active entry stays, and the watch does the rest.
 */
export async function followUp(parts: Parts, run: Run, now: Instant, known: Known = {}): Promise<void> {
  if (run.state === 'retrying') return retryLater(parts, run, now);
  if (isFinal(run.state)) await followUpAll(parts, [run], now, known);
}

/** The same for final runs of one job, oldest slot first. */
export async function followUpAll(
  parts: Parts,
  runs: readonly Run[],
  now: Instant,
  { entry, result }: Known = {},
): Promise<void> {
  const [oldest] = runs;
  if (!oldest) return;
  const followed = [...(entry?.followed ?? [])];
  const found: Found = { results: results(parts, result) };
  const take = async (step: Step) => {
    if (entry?.followed?.includes(step.name)) return;
    try {
      await step.do(parts, runs, now, found);
      followed.push(step.name);
    } catch (error) {
      const whose = `${oldest.job}.${oldest.id}${runs.length > 1 ? ` and ${runs.length - 1} more` : ''}`;
      parts.emit({ type: 'trouble', doing: `following up ${whose} (${step.name})`, error });
    }
  };
  const stages = isReplay(oldest) ? ofReplay : ofRun;
  for (const stage of stages) await Promise.all(stage.map(take));
  if (stages.flat().every(({ name }) => followed.includes(name))) {
    // Last: as long as the entries are there, the watch does all of the above again.
    await parts.store.active.removeAll(
      oldest.job,
      runs.map(({ id }) => id),
    );
  } else {
    for (const run of runs) await keepEntry(parts, run, followed, now);
  }
}

/** The watch comes back soon, then ever more rarely, at least once an hour. */
async function keepEntry({ store }: Parts, run: Run, followed: string[], now: Instant): Promise<void> {
  const entry = await store.active.get(run.job, run.id);
  if (!entry) return;
  const wait = Math.min(Math.max(now - (run.endedAt ?? now), minute), hour);
  await store.active.lookAgain({ ...entry, value: { ...entry.value, followed } }, now + wait);
}

async function retryLater(parts: Parts, run: Run, now: Instant): Promise<void> {
  const { store, emit } = parts;
  emit({ type: 'attempt-failed', run });
  await leavePlaces(parts, [run], now);
  const at = run.nextAttemptAt ?? now;
  const entry: Versioned<ActiveRun> | undefined = await store.active.get(run.job, run.id);
  const again = Math.min(at + minute, nextDeadline(run, now) ?? at + minute);
  if (entry) await store.active.lookAgain(entry, again, { waits: 'retry' });
  await store.launches.put({ job: run.job, run: run.id, attempt: run.attempts.length + 1 }, at, now);
}

async function releaseJob(parts: Parts, runs: readonly Run[], now: Instant, found: Found): Promise<void> {
  found.row = await release(parts, runs, now);
}

/** Those that never started had none. */
async function leavePlaces(parts: Parts, runs: readonly Run[], now: Instant): Promise<void> {
  for (const { job, id, attempts } of runs) {
    if (attempts.length > 0) await leave(parts, { job, run: id, attempt: attempts.length }, now);
  }
}

/** Those that began are reported when they let their job go. */
async function reportNotStarted({ emit }: Parts, runs: readonly Run[]): Promise<void> {
  for (const run of runs) if (!isBegun(run)) emit({ type: 'run-not-started', run });
}
