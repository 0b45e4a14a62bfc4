import type { RunJson } from '../../shared/api/json.ts';
import { iso } from '../../shared/instant.ts';
import { nearest } from '../../shared/nearest.ts';
import { type RunState, runStates } from '../../shared/run/run.ts';
import type { Client } from '../client.ts';
import { all, allJobs, jobPath, knownJob, query } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { runShape } from '../shapes.ts';
import { printTable, stateText } from '../table.ts';
import { readSince } from '../time.ts';
import { spanText } from '../words.ts';

/** `lamp runs`: the history, newest first. */
export async function runs(
  here: Here,
  name: string | undefined,
  options: { state?: string; since?: string; limit: number; kind?: 'run' | 'replay'; json?: boolean },
): Promise<void> {
  const state = readStates(options.state)?.join(',');
  const since = options.since === undefined ? undefined : iso(Math.max(readSince(options.since, here.now()), 0));
  const client = await here.connect();
  const job = name === undefined ? undefined : await knownJob(client, name);
  const asked = query({ state, since, kind: options.kind === 'replay' ? 'replay' : undefined });
  const listed: RunJson[] = [];
  for (const path of await pathsOf(client, job, options.kind)) {
    listed.push(...(await all(client, path + asked, runShape, options.limit - listed.length)));
  }
  if (options.json) printJson(listed);
  else if (listed.length > 0) printTable(['RUN', 'STATE', 'TRIGGER', 'TOOK', 'WHAT HAPPENED'], listed.map(runCells));
  else {
    const filtered = state !== undefined || since !== undefined;
    console.log(filtered ? 'No such run.' : 'No runs yet. Start one with: lamp run <job>');
  }
}

/** Replays are in no index: they are asked for job by job. */
async function pathsOf(client: Client, job: string | undefined, kind: 'run' | 'replay' | undefined): Promise<string[]> {
  if (job !== undefined) return [jobPath(job, '/runs')];
  if (kind !== 'replay') return ['/runs'];
  return (await allJobs(client)).map((one) => jobPath(one.job, '/runs'));
}

function runCells(run: RunJson): string[] {
  const took = run.durationMs === null ? '' : spanText(run.durationMs);
  return [run.run, stateText(run.state), run.trigger, took, summary(run)];
}

function summary(run: RunJson): string {
  const numbers = Object.entries(run.metrics).filter((metric): metric is [string, number] => {
    return typeof metric[1] === 'number';
  });
  const metrics = numbers.slice(0, 3).map(([name, value]) => `${name}=${Number(value.toPrecision(6))}`);
  const error = run.state === 'succeeded' ? undefined : (run.attempts.at(-1)?.error ?? undefined);
  const said = [error ?? run.reason ?? '', ...metrics, ...run.warnings.slice(0, 1)].filter((text) => text !== '');
  return said.join(' · ');
}

function readStates(text: string | undefined): RunState[] | undefined {
  if (text === undefined) return undefined;
  const states = text.split(',').map((state) => state.trim());
  const wrong = states.find((state) => !(runStates as readonly string[]).includes(state));
  if (wrong === undefined) return states as RunState[];
  const near = nearest(wrong, runStates);
  const hint = near ? `did you mean ${near}? ` : '';
  throw new Refusal(`--state "${wrong}" is no state of a run; ${hint}There are: ${runStates.join(', ')}`);
}
