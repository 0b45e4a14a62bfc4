import { nearest } from '../../shared/nearest.ts';
import { type Run, type RunState, runName, runStates } from '../../shared/run/run.ts';
import { newestRuns, type Wanted } from '../../shared/store/newest.ts';
import type { Home } from '../home.ts';
import { jobNames, knownJob, openParts, type Session } from '../host/session.ts';
import { printJson, runJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { printTable, stateText } from '../table.ts';
import { readSince } from '../time.ts';
import { spanText } from '../words.ts';

/** `lamp runs`: the history, newest first. */
export async function runs(
  home: Home,
  name: string | undefined,
  options: { state?: string; since?: string; limit: number; kind?: 'run' | 'replay'; json?: boolean },
): Promise<void> {
  const wanted = readStates(options.state);
  const since = options.since === undefined ? undefined : readSince(options.since, Date.now());
  const session = await openParts(home);
  const listed: Run[] = [];
  if (options.limit > 0) {
    const range = { from: since ?? 0, states: wanted, page: Math.min(options.limit, 500) };
    const some = options.kind === 'replay' ? replays(session, name, range) : found(session, name, range);
    for await (const run of some) {
      listed.push(run);
      if (listed.length === options.limit) break;
    }
  }
  if (options.json) printJson(listed.map(runJson));
  else if (listed.length > 0) printTable(['RUN', 'STATE', 'TRIGGER', 'TOOK', 'WHAT HAPPENED'], listed.map(runCells));
  else console.log(wanted || since !== undefined ? 'No such run.' : 'No runs yet. Start one with: lamp run <job>');
}

/** Of one job, or of all. */
async function* found(session: Session, name: string | undefined, wanted: Wanted): AsyncIterable<Run> {
  if (name === undefined) return yield* newestRuns(session.store, wanted);
  const { from = 0, page = 50, states } = wanted;
  for await (const { value } of session.store.runs.list(await knownJob(session, name), { from, page })) {
    if (states?.has(value.state) ?? true) yield value;
  }
}

/** Newest first of one job; of all, job by job. */
async function* replays(session: Session, name: string | undefined, wanted: Wanted): AsyncIterable<Run> {
  const { from = 0, page = 50, states } = wanted;
  for (const job of name === undefined ? await jobNames(session) : [await knownJob(session, name)]) {
    for await (const { value } of session.store.runs.listReplays(job, { from, page })) {
      if (states?.has(value.state) ?? true) yield value;
    }
  }
}

function runCells(run: Run): string[] {
  const took = run.startedAt !== null && run.endedAt !== null ? spanText(run.endedAt - run.startedAt) : '';
  return [runName(run), stateText(run.state), run.trigger, took, summary(run)];
}

function summary(run: Run): string {
  const numbers = Object.entries(run.metrics).filter((metric): metric is [string, number] => {
    return typeof metric[1] === 'number';
  });
  const metrics = numbers.slice(0, 3).map(([name, value]) => `${name}=${Number(value.toPrecision(6))}`);
  const error = run.state === 'succeeded' ? undefined : (run.attempts.at(-1)?.error ?? undefined);
  const said = [error ?? run.reason ?? '', ...metrics, ...run.warnings.slice(0, 1)].filter((text) => text !== '');
  return said.join(' · ');
}

function readStates(text: string | undefined): Set<RunState> | undefined {
  if (text === undefined) return undefined;
  const states = text.split(',').map((state) => state.trim());
  const wrong = states.find((state) => !(runStates as readonly string[]).includes(state));
  if (wrong === undefined) return new Set(states as RunState[]);
  const near = nearest(wrong, runStates);
  const hint = near ? `did you mean ${near}? ` : '';
  throw new Refusal(`--state "${wrong}" is no state of a run; ${hint}There are: ${runStates.join(', ')}`);
}
