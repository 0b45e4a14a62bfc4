import { sendReceipts } from '../alerts/receipts.ts';
import { seeEnds } from '../alerts/see.ts';
import { hour, type Instant, minute } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { AttemptResult } from '../run/attempt.ts';
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
   * @param results what their last attempts have left
   */
  do(parts: Parts, runs: readonly Run[], now: Instant, results: Results): Promise<void>;
}

/** All that follows from a final run, however it ended: a result, a refusal, a cancel, a skip, a missed slot. */
const steps: readonly Step[] = [
  { name: 'report', do: reportNotStarted },
  { name: 'place', do: leavePlaces },
  { name: 'release', do: release },
  { name: 'recent', do: ({ store }, runs) => store.recent.append(runs) },
  { name: 'metrics', do: (parts, runs, _, results) => recordMetrics(parts, runs, results) },
  { name: 'alert', do: seeEnds },
  { name: 'receipt', do: sendReceipts },
  { name: 'drift', do: seeDrift },
  { name: 'replay', do: seeVersions },
];

/** Of a replay it counts in no history, holds no job, and alerts only through findings. */
const replaySteps: readonly Step[] = [
  { name: 'place', do: leavePlaces },
  { name: 'replay', do: seeReplay },
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
  const [first] = runs;
  if (!first) return;
  const followed = [...(entry?.followed ?? [])];
  const left = results(parts, result);
  const all = isReplay(first) ? replaySteps : steps;
  for (const step of all) {
    if (entry?.followed?.includes(step.name)) continue;
    try {
      await step.do(parts, runs, now, left);
      followed.push(step.name);
    } catch (error) {
      const whose = `${first.job}.${first.id}${runs.length > 1 ? ` and ${runs.length - 1} more` : ''}`;
      parts.emit({ type: 'trouble', doing: `following up ${whose} (${step.name})`, error });
    }
  }
  if (all.every(({ name }) => followed.includes(name))) {
    // Last: as long as the entries are there, the watch does all of the above again.
    await parts.store.active.removeAll(
      first.job,
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
  if (entry) await store.active.lookAgain(entry, Math.min(at + minute, nextDeadline(run, now) ?? at + minute));
  await store.launches.put({ job: run.job, run: run.id, attempt: run.attempts.length + 1 }, at, now);
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
