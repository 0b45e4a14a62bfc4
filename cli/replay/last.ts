import { replaysJson } from '../../shared/api/routes/replays.ts';
import type { ReplayEvidence } from '../../shared/drift/evidence.ts';
import type { Difference } from '../../shared/drift/golden.ts';
import { newReplayState, type Replayed, type ReplayState } from '../../shared/drift/replay.ts';
import { iso } from '../../shared/instant.ts';
import { visible } from '../../shared/text.ts';
import type { Home } from '../home.ts';
import { knownJob, openParts, type Session } from '../host/session.ts';
import { printJson } from '../json.ts';

/** What the service has found by replaying a job itself. */

const shown = 10;

/** `lamp replay <job> --last`. @returns the exit code: 1 when the latest one moved */
export async function showLast(home: Home, name: string, { json }: { json?: boolean }): Promise<number> {
  const session = await openParts(home);
  const job = await knownJob(session, name);
  const { state, replays } = await read(session, job, shown);
  if (json) printJson(replaysJson(state, replays));
  else print(session, job, state, replays);
  return replays[0]?.state === 'moved' ? 1 : 0;
}

/** One line and what it differs in, for the end of `lamp drift <job>`; nothing for a job without examples. */
export async function printReplays(session: Session, job: string, count: number): Promise<void> {
  const { state, replays } = await read(session, job, count);
  if (replays.length > 0 || state.problem !== null) print(session, job, state, replays);
}

async function read({ store }: Session, job: string, count: number) {
  const state = (await store.replays.state(job))?.value ?? newReplayState(job);
  return { state, replays: await store.replays.list(job, count) };
}

function print(session: Session, job: string, state: ReplayState, replays: readonly Replayed[]): void {
  console.log(`Replays of ${job}: ${visible(state.problem ?? rhythm(session, job, state))}`);
  for (const replayed of replays) {
    console.log(`  ${iso(replayed.slot)}  ${replayed.reason.padEnd(7)}  ${visible(said(replayed))}`);
    for (const one of replayed.worst) console.log(`    ${differenceText(one)}`);
    for (const [example, problem] of Object.entries(replayed.problems).slice(0, 5)) {
      console.log(`    ${visible(`${example}: ${problem}`)}`);
    }
  }
}

/** The verdict of replays in a finding, with what changed most. */
export function printReplay({ state, changed, of, worst }: ReplayEvidence): void {
  if (state === 'unknown') return;
  const text =
    state === 'moved' ? `${changed} of ${of} frozen examples get another answer` : 'frozen examples as before';
  console.log(`  replay: ${text}`);
  for (const one of worst) console.log(`    ${differenceText(one)}`);
}

function rhythm({ catalog }: Session, job: string, { everyDays, running, noise, starts }: ReplayState): string {
  if (catalog().get(job)?.job.replay === null) return 'none, as job.yaml has no replay:';
  const often =
    everyDays === null
      ? 'on a change or a finding'
      : everyDays === 1
        ? 'daily'
        : `every ${everyDays} days, for their cost`;
  const noisy = noise ? `; ${Math.round(noise.share * 100)} % of the examples differ by themselves` : '';
  if (running) return `${often}; ${running.run} is under way${noisy}`;
  return `${often}${starts.length === 0 ? '; none yet: the first follows a successful run' : ''}${noisy}`;
}

function said({ state, changed, of, alarmAt, error }: Replayed): string {
  if (error !== null) return error;
  const counted = `${changed} of ${of} examples changed, ${alarmAt} would be no chance`;
  return state === 'moved' ? `answers otherwise than accepted (${counted})` : `answers as accepted (${counted})`;
}

function differenceText({ example, file, path, was, is }: Difference): string {
  return visible(`${example} ${file} ${path}: ${was} → ${is}`).slice(0, 300);
}
