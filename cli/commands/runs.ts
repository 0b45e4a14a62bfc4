import { nearest } from '../../shared/nearest.ts';
import { type Run, type RunState, runName, runStates } from '../../shared/run/run.ts';
import type { Home } from '../home.ts';
import { jobNames, knownJob, openParts } from '../host/session.ts';
import { printJson, runJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { printTable, stateText } from '../table.ts';
import { readSince } from '../time.ts';
import { spanText } from '../words.ts';

/** `lamp runs`: the history, newest first. */
export async function runs(
  home: Home,
  name: string | undefined,
  options: { state?: string; since?: string; limit: number; json?: boolean },
): Promise<void> {
  const wanted = readStates(options.state);
  const since = options.since === undefined ? undefined : readSince(options.since, Date.now());
  const session = await openParts(home);
  const names = name === undefined ? await jobNames(session) : [await knownJob(session, name)];
  const found: Run[] = [];
  for (const job of names) {
    let count = 0;
    const range = { page: Math.min(options.limit, 500), ...(since !== undefined && { from: since }) };
    for await (const { value } of session.store.runs.list(job, range)) {
      if (wanted && !wanted.has(value.state)) continue;
      found.push(value);
      if (++count === options.limit) break;
    }
  }
  const listed = found.sort((a, b) => b.slot - a.slot).slice(0, options.limit);
  if (options.json) printJson(listed.map(runJson));
  else if (listed.length > 0) printTable(['RUN', 'STATE', 'TRIGGER', 'TOOK', 'WHAT HAPPENED'], listed.map(runCells));
  else console.log(wanted || since !== undefined ? 'No such run.' : 'No runs yet. Start one with: lamp run <job>');
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
