import { cancel as cancelRun, rerun, runNow } from '../../shared/control.ts';
import { pause as pauseJob, resume as resumeJob } from '../../shared/pause.ts';
import { isFinal, type Person, type Run, runName } from '../../shared/run.ts';
import type { Home } from '../home.ts';
import { printJson, runJson } from '../json.ts';
import { findRun, knownJob, openParts, Refusal } from '../session.ts';
import { stateText } from '../table.ts';
import { exitCodeOf, waitFor } from '../wait.ts';

export interface ActOptions {
  why: string;
  by?: string;
  json?: boolean;
}

export function person(home: Home, { by, why }: ActOptions): Person {
  return { by: by ?? home.person, why };
}

/** `lamp run`: runs a job now. */
export async function run(
  home: Home,
  name: string,
  args: string[],
  options: ActOptions & { wait?: boolean },
): Promise<void> {
  const parts = await openParts(home);
  const job = await knownJob(parts, name);
  if (!parts.catalog().has(job)) throw new Refusal(`${job} cannot run: lamp check says why.`);
  const queued = await runNow(parts, job, args, person(home, options), Date.now());
  await follow(parts, queued, options);
}

/** `lamp retry`: runs the slot of a past run again. */
export async function retry(home: Home, name: string, options: ActOptions & { wait?: boolean }): Promise<void> {
  const parts = await openParts(home);
  const past = await findRun(parts, name);
  if (!isFinal(past.state)) throw new Refusal(`${runName(past)} is ${past.state}: it is not over yet.`);
  if (!parts.catalog().has(past.job)) throw new Refusal(`${past.job} cannot run: lamp check says why.`);
  const queued = await rerun(parts, past, person(home, options), Date.now());
  await follow(parts, queued, options);
}

async function follow(
  parts: Awaited<ReturnType<typeof openParts>>,
  queued: Run,
  options: { wait?: boolean; json?: boolean },
) {
  const run = options.wait ? await waitFor(parts, queued, options.json !== true) : queued;
  if (options.json) printJson(runJson(run));
  else if (options.wait) console.log(`${runName(run)} ${stateText(run.state)}${run.reason ? `: ${run.reason}` : ''}`);
  else console.log(`${runName(run)} queued. Follow it: lamp logs ${runName(run)} -f`);
  if (options.wait) process.exitCode = exitCodeOf(run);
}

/** `lamp cancel`: ends a run, or keeps it from starting. */
export async function cancel(home: Home, name: string, options: ActOptions): Promise<void> {
  const parts = await openParts(home);
  const found = await findRun(parts, name);
  if (isFinal(found.state)) throw new Refusal(`${runName(found)} is over already: ${found.state}.`);
  const run = await cancelRun(parts, found.job, found.id, person(home, options), Date.now());
  if (!run) throw new Refusal(`${runName(found)} is gone.`);
  if (options.json) printJson(runJson(run));
  else console.log(`${runName(run)} ${run.state === 'cancelled' ? 'cancelled' : 'is being ended'}.`);
}

/** `lamp pause`: slots are skipped from now on. */
export async function pause(home: Home, name: string, options: ActOptions): Promise<void> {
  const parts = await openParts(home);
  const job = await knownJob(parts, name);
  const changed = await pauseJob(parts, job, person(home, options), Date.now());
  if (options.json) printJson({ job, paused: true, changed });
  else
    console.log(
      changed ? `${job} is paused. Its slots are skipped until: lamp resume ${job}` : `${job} was paused already.`,
    );
}

/** `lamp resume`: slots run again; what was skipped is caught up by the job's policy. */
export async function resume(home: Home, name: string, options: ActOptions & { catchUp: boolean }): Promise<void> {
  const parts = await openParts(home);
  const job = await knownJob(parts, name);
  const runs = await resumeJob(parts, job, person(home, options), options.catchUp, Date.now());
  if (options.json) printJson({ job, paused: false, changed: runs !== undefined, caughtUp: (runs ?? []).map(runName) });
  else if (!runs) console.log(`${job} was not paused.`);
  else console.log(`${job} runs again.${runs.length > 0 ? ` Caught up: ${runs.map(runName).join(', ')}` : ''}`);
}
