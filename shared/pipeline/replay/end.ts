import { leavesOf } from '../../drift/canonical.ts';
import type { RunFacts } from '../../drift/change.ts';
import type { Noise, Outputs } from '../../drift/golden.ts';
import { newReplayState, type Replayed, type ReplayState, replayReasons } from '../../drift/replay.ts';
import { type Judged, judgeReplayed } from '../../drift/verdict.ts';
import type { Instant } from '../../instant.ts';
import { goldenIn } from '../../job/golden.ts';
import { readZipped, zippedFiles } from '../../job/unzip.ts';
import type { Parts } from '../../parts.ts';
import { replayReport } from '../../run/replay.ts';
import { currentAttempt, type Run } from '../../run/run.ts';
import { modelOf } from '../alike.ts';
import { followFindings } from './findings.ts';
import { mostReportBytes, readReport } from './report.ts';
import { amendReplays, wantReplay } from './request.ts';

/** What follows from the end of a replay: it is judged and kept, findings hear of it, the next one may start. Safe to do again. */
export async function seeReplay(parts: Parts, runs: readonly Run[], now: Instant): Promise<void> {
  for (const run of runs) await seeOne(parts, run, now);
}

async function seeOne(parts: Parts, run: Run, now: Instant): Promise<void> {
  const { store } = parts;
  const state = (await store.replays.state(run.job))?.value ?? newReplayState(run.job);
  const judged = await judge(parts, run, state).catch((error: unknown) => {
    // An outage is tried again; what cannot be read will not be readable later.
    if (error instanceof Unreadable) return error.message;
    throw error;
  });
  const replayed = recordOf(run, judged);
  await store.replays.put(replayed);
  parts.emit({ type: 'replayed', replayed });

  const deployed = parts.catalog().get(run.job);
  // One replay that moved may be noise that was not seen before: only a second look opens a finding.
  const sure = replayed.repeats > 1 || replayed.state !== 'moved';
  const finding = sure ? await followFindings(parts, replayed, state, now) : state.finding;
  const after = await amendReplays(parts, run.job, (current) => ended(current, run, judged, replayed, finding));
  const next = sure ? (after?.wanted ?? null) : 'confirm';
  if (deployed && next !== null) await wantReplay(parts, deployed, next, now);
}

/** The state after a replay; undefined: that is in it already. */
function ended(
  state: ReplayState,
  run: Run,
  judged: Judged | string,
  { costMs, repeats }: Replayed,
  finding: string | null,
): ReplayState | undefined {
  if (state.running?.run !== run.id) return undefined;
  const learnt =
    typeof judged === 'string' ? {} : { golden: judged.golden, noise: judged.noise, unusable: judged.unusable };
  const renewed = typeof judged !== 'string' && judged.golden !== state.golden;
  return {
    ...state,
    ...learnt,
    ...(renewed && { expected: {} }),
    roundMs: typeof judged === 'string' ? state.roundMs : costMs / repeats,
    running: null,
    finding,
  };
}

/** A replay whose report or bundle says nothing. */
class Unreadable extends Error {}

/** @returns a text: why nothing is known. @throws what storage throws */
async function judge(parts: Parts, run: Run, state: ReplayState): Promise<Judged | string> {
  const { store } = parts;
  const attempt = currentAttempt(run);
  if (run.state !== 'succeeded' || !attempt) {
    const what = attempt?.error ?? run.reason;
    return `the replay ${run.state === 'succeeded' ? 'failed' : run.state === 'missed' ? 'did not start' : `was ${run.state}`}${what ? `: ${what}` : ''}`;
  }
  const zip = await store.bundles.get(run.versions?.bundle ?? '');
  if (!zip) throw new Unreadable('the bundle it ran with is gone, or too large to be read');
  const id = { job: run.job, run: run.id, attempt: attempt.number };
  const text = await store.attempts.output(id, replayReport, mostReportBytes);
  if (text === undefined) throw new Unreadable('it left no report: is the image of the jobs older than the service?');
  const { answers, problems } = readable(() => readReport(text));
  const { accepted, declared, golden } = readable(() => acceptedIn(zip));
  return judgeReplayed({ state, reason: reasonOf(run), golden, accepted, answers, problems, declared });
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Unreadable(`its report cannot be read: ${(error as Error).message.split('\n')[0]?.slice(0, 200)}`);
  }
}

const nothing: Noise = { replays: 0, share: 0, volatile: {} };

/** The accepted answers in a bundle, and the noise that was measured with them. @throws Error for a broken zip */
function acceptedIn(zip: Buffer): { accepted: Map<string, Outputs>; declared: Noise; golden: string } {
  const accepted = new Map<string, Map<string, ReturnType<typeof leavesOf>>>();
  for (const { name } of zippedFiles(zip)) {
    const [, example, path] = /^golden\/([^/]+)\/accepted\/(.+)$/.exec(name) ?? [];
    if (example === undefined || path === undefined) continue;
    const outputs = accepted.get(example) ?? new Map<string, ReturnType<typeof leavesOf>>();
    outputs.set(path, leavesOf(path, readZipped(zip, name)?.toString('utf8') ?? ''));
    accepted.set(example, outputs);
  }
  const golden = goldenIn(zip)?.digest ?? '';
  return { golden, accepted, declared: noiseIn(readZipped(zip, 'golden/noise.json')?.toString('utf8')) };
}

function noiseIn(text: string | undefined): Noise {
  try {
    return text === undefined ? nothing : { ...nothing, ...JSON.parse(text) };
  } catch {
    return nothing;
  }
}

function reasonOf({ args }: Run): Replayed['reason'] {
  return replayReasons.find((one) => one === args[0]) ?? 'daily';
}

function recordOf(run: Run, judged: Judged | string): Replayed {
  const { job, id, slot, args, startedAt, endedAt, versions } = run;
  const facts: RunFacts = {
    versions,
    model: modelOf(run.metrics, 'model'),
    fingerprint: modelOf(run.metrics, 'model_fingerprint'),
  };
  const nothingKnown = {
    state: 'unknown',
    changed: 0,
    of: 0,
    alarmAt: 1,
    worst: [],
    answers: {},
    problems: {},
  } as const;
  const said = typeof judged === 'string' ? { ...nothingKnown, error: judged.slice(0, 500) } : judged;
  const { state, changed, of, alarmAt, worst, answers, problems, error } = said;
  return {
    ...{ job, run: id, slot, reason: reasonOf(run), facts },
    golden: typeof judged === 'string' ? '' : (judged.golden ?? ''),
    ...{ state, changed, of, alarmAt, answers, problems, error },
    worst: [...worst],
    repeats: Math.max(Number(args[1]) || 1, 1),
    costMs: startedAt !== null && endedAt !== null ? Math.max(endedAt - startedAt, 0) : 0,
  };
}
