import { z } from 'zod';
import type { RunJson } from '../../shared/api/json.ts';
import { isFinal } from '../../shared/run/run.ts';
import type { Client } from '../client.ts';
import { findJob, findRun, jobPath, knownJob, runnableJob, runPath } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { runShape } from '../shapes.ts';
import { stateText } from '../table.ts';
import { demandHost, exitCodeOf, isHosted, noHost, waitFor } from '../wait.ts';

export interface ActOptions {
  why: string;
  by?: string;
  json?: boolean;
}

export interface WaitOptions extends ActOptions {
  wait?: boolean;
}

/** `lamp run`: runs a job now. */
export async function run(here: Here, name: string, args: string[], options: WaitOptions): Promise<void> {
  const client = await here.connect(options.by);
  const job = await runnableJob(client, name);
  if (options.wait) await demandHost(here, client);
  const { why } = options;
  const queued = await client.post(jobPath(job, '/runs'), { args, why }, runShape);
  await follow(here, client, queued, options);
}

/** `lamp rerun`: runs the slot of a past run again. */
export async function rerunRun(here: Here, name: string, options: WaitOptions): Promise<void> {
  const client = await here.connect(options.by);
  const past = await findRun(client, name);
  if (!isFinal(past.state)) {
    throw new Refusal(`${past.run} is ${past.state}: it is not over yet. End it first with: lamp cancel`);
  }
  await runnableJob(client, past.job);
  if (options.wait) await demandHost(here, client);
  const { why } = options;
  await follow(here, client, await client.post(runPath(past.run, '/rerun'), { why }, runShape), options);
}

async function follow(here: Here, client: Client, queued: RunJson, { wait, json }: WaitOptions) {
  const name = queued.run;
  const say = (run: RunJson) => {
    if (!json && !isFinal(run.state)) console.error(`${name} ${run.state}`);
  };
  const [run = queued] = wait ? await waitFor(here, client, [name], say) : [];
  if (json) printJson(run);
  else if (wait) console.log(`${name} ${stateText(run.state)}${because(run)}`);
  else if (await isHosted(here, client)) console.log(`${name} queued. Follow it: lamp logs ${name} -f`);
  else console.log(`${name} queued, but ${noHost(client)}`);
  if (wait) process.exitCode = exitCodeOf(run);
}

function because(run: RunJson): string {
  const why = run.state === 'succeeded' ? run.warnings.join('; ') : (run.reason ?? run.attempts.at(-1)?.error ?? '');
  return why && `: ${why}`;
}

const changed = z.object({ job: z.string(), paused: z.boolean(), changed: z.boolean() });

/** `lamp pause`: slots are skipped from now on. */
export async function pause(here: Here, name: string, { why, by, json }: ActOptions): Promise<void> {
  const client = await here.connect(by);
  const job = await knownJob(client, name);
  const done = await client.post(jobPath(job, '/pause'), { why }, changed);
  if (json) return printJson(done);
  if (done.changed) return console.log(`${job} is paused. Its slots are skipped until: lamp resume ${job}`);
  const paused = (await findJob(client, job))?.paused;
  console.log(
    paused
      ? `${job} was paused already, by ${paused.by}${paused.why && `: ${paused.why}`}.`
      : `${job} was paused and has been resumed meanwhile.`,
  );
}

/** `lamp resume`: slots run again; what was skipped is caught up by the job's policy. */
export async function resume(
  here: Here,
  name: string,
  { why, by, json, catchUp }: ActOptions & { catchUp: boolean },
): Promise<void> {
  const client = await here.connect(by);
  const job = await knownJob(client, name);
  const shape = changed.extend({ caughtUp: z.array(z.string()) });
  const done = await client.post(jobPath(job, '/resume'), { why, catchUp }, shape);
  if (json) printJson(done);
  else if (!done.changed) console.log(`${job} was not paused.`);
  else console.log(`${job} runs again.${done.caughtUp.length > 0 ? ` Caught up: ${done.caughtUp.join(', ')}` : ''}`);
}
