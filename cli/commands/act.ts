import { pause as pauseJob, resume as resumeJob } from '../../shared/actions/pause.ts';
import { rerun } from '../../shared/actions/rerun.ts';
import { runNow } from '../../shared/actions/run-now.ts';
import { isFinal, type Person, type Run, runName } from '../../shared/run/run.ts';
import type { Home } from '../home.ts';
import { findRun, knownJob, openParts, runnableJob, type Session } from '../host/session.ts';
import { printJson, runJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
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

export function person(home: Home, { by, why }: ActOptions): Person {
  return { by: by ?? home.person, why };
}

/** `lamp run`: runs a job now. */
export async function run(home: Home, name: string, args: string[], options: WaitOptions): Promise<void> {
  const session = await openParts(home);
  const job = await runnableJob(session, name);
  if (options.wait) await demandHost(session);
  await follow(session, await runNow(session, job.name, args, person(home, options), Date.now()), options);
}

/** `lamp rerun`: runs the slot of a past run again. */
export async function rerunRun(home: Home, name: string, options: WaitOptions): Promise<void> {
  const session = await openParts(home);
  const past = await findRun(session, name);
  if (!isFinal(past.state)) {
    throw new Refusal(`${runName(past)} is ${past.state}: it is not over yet. End it first with: lamp cancel`);
  }
  await runnableJob(session, past.job);
  if (options.wait) await demandHost(session);
  await follow(session, await rerun(session, past, person(home, options), Date.now()), options);
}

async function follow(session: Session, queued: Run, { wait, json }: WaitOptions) {
  const name = runName(queued);
  const say = (run: Run) => {
    if (!json && !isFinal(run.state)) console.error(`${name} ${run.state}`);
  };
  const [run = queued] = wait ? await waitFor(session, [queued], say) : [];
  if (json) printJson(runJson(run));
  else if (wait) console.log(`${name} ${stateText(run.state)}${because(run)}`);
  else if (await isHosted(session)) console.log(`${name} queued. Follow it: lamp logs ${name} -f`);
  else console.log(`${name} queued, but ${noHost}`);
  if (wait) process.exitCode = exitCodeOf(run);
}

function because(run: Run): string {
  const why = run.state === 'succeeded' ? run.warnings.join('; ') : (run.reason ?? run.attempts.at(-1)?.error ?? '');
  return why && `: ${why}`;
}

/** `lamp pause`: slots are skipped from now on. */
export async function pause(home: Home, name: string, options: ActOptions): Promise<void> {
  const session = await openParts(home);
  const job = await knownJob(session, name);
  const changed = await pauseJob(session, job, person(home, options), Date.now());
  if (options.json) return printJson({ job, paused: true, changed });
  if (changed) return console.log(`${job} is paused. Its slots are skipped until: lamp resume ${job}`);
  const paused = (await session.store.jobs.get(job))?.value.paused;
  if (!paused) throw new Refusal(`${job} is not in the store yet: ${noHost}`);
  console.log(`${job} was paused already, by ${paused.by}${paused.why && `: ${paused.why}`}.`);
}

/** `lamp resume`: slots run again; what was skipped is caught up by the job's policy. */
export async function resume(home: Home, name: string, options: ActOptions & { catchUp: boolean }): Promise<void> {
  const session = await openParts(home);
  const job = await knownJob(session, name);
  const runs = await resumeJob(session, job, person(home, options), options.catchUp, Date.now());
  if (options.json) printJson({ job, paused: false, changed: runs !== undefined, caughtUp: (runs ?? []).map(runName) });
  else if (!runs) console.log(`${job} was not paused.`);
  else console.log(`${job} runs again.${runs.length > 0 ? ` Caught up: ${runs.map(runName).join(', ')}` : ''}`);
}
