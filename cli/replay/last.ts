import { z } from 'zod';
import type { replaysJson } from '../../shared/api/routes/replays.ts';
import type { ReplayEvidence } from '../../shared/drift/evidence.ts';
import type { Difference } from '../../shared/drift/golden.ts';
import { visible } from '../../shared/text.ts';
import type { Client } from '../client.ts';
import { jobPath, knownJob, query } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { shapeOf } from '../shapes.ts';
import { isHosted, noHost } from '../wait.ts';

/** What the service finds by replaying a job itself. */

const shown = 10;

/** `lamp replay <job> --last`. @returns the exit code: 1 when the latest one moved */
export async function showLast(here: Here, name: string, { json }: { json?: boolean }): Promise<number> {
  const client = await here.connect();
  const job = await knownJob(client, name);
  const found = await read(client, job, shown);
  if (json) printJson(found);
  else print(job, found);
  return found.items[0]?.state === 'moved' ? 1 : 0;
}

const asked = z.object({ job: z.string(), run: z.string().nullable(), after: z.string().nullable() });

export interface NowOptions {
  why: string;
  by?: string;
  json?: boolean;
}

/** `lamp replay <job> --now`: the service does one. */
export async function askNow(here: Here, name: string, { why, by, json }: NowOptions): Promise<void> {
  const client = await here.connect(by);
  const job = await knownJob(client, name);
  const done = await client.post(jobPath(job, '/replays'), { why }, asked);
  if (json) return printJson(done);
  const result = `Its result: lamp replay ${job} --last`;
  if (done.run === null) console.log(`A replay of ${job} is queued when ${done.after} is over. ${result}`);
  else if (await isHosted(here, client)) console.log(`${done.run} is queued. ${result}`);
  else console.log(`${done.run} is queued, but ${noHost(client)}`);
}

/** One line and what it differs in, for the end of `lamp drift <job>`; nothing for a job without examples. */
export async function printReplays(client: Client, job: string, count: number): Promise<void> {
  const found = await read(client, job, count);
  if (found.items.length > 0 || found.problem !== null) print(job, found);
}

type Replays = ReturnType<typeof replaysJson>;
const replays = shapeOf<Replays>({ items: z.array(z.looseObject({ at: z.string(), state: z.string() })) });

function read(client: Client, job: string, limit: number): Promise<Replays> {
  return client.get(jobPath(job, `/replays${query({ limit })}`), replays);
}

function print(job: string, found: Replays): void {
  console.log(`Replays of ${job}: ${visible(found.problem ?? rhythm(found))}`);
  for (const replayed of found.items) {
    console.log(`  ${replayed.at}  ${replayed.reason.padEnd(7)}  ${visible(said(replayed))}`);
    for (const one of replayed.worst) console.log(`    ${differenceText(one)}`);
    for (const { example, problem } of replayed.problems.slice(0, 5)) {
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

function rhythm({ declared, everyDays, running, noise, items }: Replays): string {
  if (!declared) return 'none, as job.yaml has no replay:';
  const often =
    everyDays === null
      ? 'on a change or a finding'
      : everyDays === 1
        ? 'daily'
        : `every ${everyDays} days, for their cost`;
  const noisy = noise ? `; ${Math.round(noise.share * 100)} % of the examples differ by themselves` : '';
  if (running) return `${often}; ${running} is under way${noisy}`;
  return `${often}${items.length === 0 ? '; none yet: the first follows a successful run' : ''}${noisy}`;
}

function said({ state, changed, of, alarmAt, error }: Replays['items'][0]): string {
  if (error !== null) return error;
  const counted = `${changed} of ${of} examples changed, ${alarmAt} would be no chance`;
  return state === 'moved' ? `answers otherwise than accepted (${counted})` : `answers as accepted (${counted})`;
}

function differenceText({ example, file, path, was, is }: Difference): string {
  return visible(`${example} ${file} ${path}: ${was} → ${is}`).slice(0, 300);
}
