import { mayStart } from '../../drift/due.ts';
import {
  isAnswered,
  moreUrgent,
  newReplayState,
  type ReplayReason,
  type ReplayState,
  repeatsOf,
} from '../../drift/replay.ts';
import { hour, type Instant, minute, second } from '../../instant.ts';
import type { Deployed } from '../../job/catalog.ts';
import { goldenProblem } from '../../job/golden.ts';
import type { Parts } from '../../parts.ts';
import { isFinal, newRun, parseRunId, runId } from '../../run/run.ts';
import type { Versioned } from '../../store/table.ts';
import { entryOf } from '../claim.ts';

/** A replay is worth starting for this long. */
const worth = 6 * hour;
/** By then a claim has become a run, or its host has died in between. */
const claimed = 10 * minute;

/** Whether the service replays the job at all: it has examples, says how, and runs here. */
export function isReplayed({ job, golden }: Deployed): boolean {
  return golden != null && job.replay !== null && !job.external && job.status !== 'decommissioned';
}

/** Why it cannot, though it is to be; undefined: it can. */
export function problemOf({ job, golden }: Pick<Deployed, 'job' | 'golden'>): string | undefined {
  if (job.outputs.length === 0) return 'the job declares no outputs to compare: name them under outputs: in job.yaml';
  return golden ? goldenProblem(golden) : undefined;
}

/** What is known of the replays of a job, changed until no other host is in between. Undefined: left as it is. */
export async function amendReplays(
  { store }: Pick<Parts, 'store'>,
  job: string,
  change: (state: ReplayState) => ReplayState | undefined,
): Promise<ReplayState | undefined> {
  for (;;) {
    const found = await store.replays.state(job);
    const next = change(found?.value ?? newReplayState(job));
    if (!next) return undefined;
    if (await store.replays.putState(next, found?.etag)) return next;
  }
}

/**
 * Starts a replay of the job, or notes that one is wanted when one is under way. Whichever host writes the state does it;
 * the other finds it done.
 * @returns whether one was started
 */
export async function wantReplay(
  parts: Parts,
  deployed: Deployed,
  asked: ReplayReason,
  now: Instant,
): Promise<boolean> {
  const { store } = parts;
  const { name } = deployed.job;
  if (!isReplayed(deployed)) return false;
  for (;;) {
    const found = await store.replays.state(name);
    const state = found?.value ?? newReplayState(name);
    // Noise first: without it no difference says anything.
    const reason = state.golden === deployed.golden?.digest ? asked : 'pin';
    const decided = await decide(parts, deployed, state, reason, now);
    if (!decided) return false;
    const { running } = decided;
    const starts = running !== null && running.run !== state.running?.run;
    // A crash after the state leaves an entry without a run, which the watch removes.
    if (starts) await store.active.insert(entryOf(runOf(deployed, running, now), now));
    if (!(await store.replays.putState(decided, found?.etag))) continue;
    if (starts) await queue(parts, deployed, running, now);
    return starts;
  }
}

async function decide(
  parts: Parts,
  deployed: Deployed,
  state: ReplayState,
  reason: ReplayReason,
  now: Instant,
): Promise<ReplayState | undefined> {
  const problem = problemOf(deployed);
  if (problem !== undefined) return state.problem === problem ? undefined : { ...state, problem, wanted: null };
  if (await isUnderWay(parts, state, now)) {
    if (state.running && isAnswered(state.running, reason, now)) return undefined;
    const wanted = moreUrgent(state.wanted, reason);
    return wanted === state.wanted ? undefined : { ...state, wanted };
  }
  if (!mayStart(state, reason, now)) return undefined;
  // Two may begin in one second, one after the other: each has a slot of its own.
  const slot = Math.max(Math.floor(now / second) * second, (state.starts.at(-1) ?? 0) + second);
  const running = { run: runId(slot, 'replay'), reason, at: now };
  const starts = [...state.starts.filter((at) => now - at < 24 * hour), slot];
  return { ...state, problem: null, wanted: null, running, starts };
}

/** A run that is over, or was never made because its host died, keeps none from starting. */
async function isUnderWay({ store }: Parts, { job, running }: ReplayState, now: Instant): Promise<boolean> {
  if (!running) return false;
  const found = await store.runs.get(job, running.run);
  return found ? !isFinal(found.value.state) : now - running.at < claimed;
}

type Running = NonNullable<ReplayState['running']>;

function runOf({ job: { name }, golden }: Deployed, { run: id, reason, at }: Running, now: Instant) {
  const args = [reason, String(repeatsOf(reason, golden?.examples.length ?? 0))];
  return newRun(name, parseRunId(id)?.slot ?? at, 'replay', now, { id, args, startBy: at + worth });
}

/** The row, then the message; the watch repairs what dies between them. */
async function queue(parts: Parts, deployed: Deployed, running: Running, now: Instant): Promise<void> {
  const run = runOf(deployed, running, now);
  const written: Versioned<unknown> | undefined = await parts.store.runs.insert(run);
  if (!written) return;
  await parts.store.launches.put({ job: run.job, run: run.id, attempt: 1 }, now, now);
  parts.emit({ type: 'run-claimed', run });
}
