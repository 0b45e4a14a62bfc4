import { z } from 'zod';
import type { RunJson } from '../../shared/api/json.ts';
import { isFinal } from '../../shared/run/run.ts';
import type { Client } from '../client.ts';
import { findRun, jobPath, knownJob, runPath } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { runShape } from '../shapes.ts';
import { count } from '../words.ts';
import type { ActOptions } from './act.ts';

export interface CancelOptions extends ActOptions {
  backfill?: string;
}

/** `lamp cancel`: ends runs, or keeps them from starting. All names are looked up before the first run is cancelled. */
export async function cancel(here: Here, names: string[], options: CancelOptions): Promise<void> {
  const client = await here.connect(options.by);
  if (options.backfill !== undefined) {
    if (names.length > 0) throw new Refusal('Give either names of runs, or --backfill and a job.');
    return cancelAll(client, options.backfill, options);
  }
  if (names.length === 0) throw new Refusal('Say which run: lamp cancel <run>, or lamp cancel --backfill <job>.');
  const found: RunJson[] = [];
  for (const name of names) found.push(await findRun(client, name));
  const over = found.find(({ state }) => isFinal(state));
  if (over) throw new Refusal(`${over.run} is over already: ${over.state}.`);

  const runs: RunJson[] = [];
  for (const { run: name } of found) {
    const run = await client.post(runPath(name, '/cancel'), { why: options.why }, runShape);
    if (run.cancelled === null) throw new Refusal(`${name} was over before it could be cancelled: ${run.state}.`);
    if (!options.json) console.log(`${name} ${run.state === 'cancelled' ? 'cancelled' : 'is being ended'}.`);
    runs.push(run);
  }
  if (options.json) printJson(runs.length === 1 ? runs[0] : runs);
}

const shape = z.object({ job: z.string(), cancelled: z.array(z.string()), ending: z.array(z.string()) });

async function cancelAll(client: Client, name: string, { why, json }: CancelOptions): Promise<void> {
  const job = await knownJob(client, name);
  const done = await client.post(jobPath(job, '/backfill/cancel'), { why }, shape);
  if (json) return printJson(done);
  const { cancelled, ending } = done;
  if (cancelled.length + ending.length === 0) return console.log(`Nothing to do: no backfill of ${job} is under way.`);
  const also = ending.length > 0 ? `, ${ending.join(', ')} is being ended` : '';
  console.log(`${count(cancelled.length, 'run')} of ${job} cancelled${also}.`);
}
