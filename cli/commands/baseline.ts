import { z } from 'zod';
import { learning } from '../../shared/drift/budget.ts';
import { iso } from '../../shared/instant.ts';
import { ApiRefusal } from '../client.ts';
import { jobPath, knownJob } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { listOf } from '../shapes.ts';
import { printTable } from '../table.ts';
import { readFrom } from '../time.ts';
import type { ActOptions } from './act.ts';

export interface BaselineOptions extends ActOptions {
  metric?: string;
  since?: string;
}

const row = z.looseObject({
  metric: z.string(),
  kind: z.string(),
  state: z.string(),
  since: z.string().nullable(),
  runs: z.number(),
  pinnedBy: z.string().nullable(),
});
const changed = z.object({ job: z.string(), metrics: z.array(z.string()) });

/** `lamp baseline show`: what each metric is compared with, and where it stands. */
export async function show(here: Here, name: string, options: { json?: boolean }): Promise<void> {
  const client = await here.connect();
  const { items } = await client.get(jobPath(await knownJob(client, name), '/baseline'), listOf(row));
  if (options.json) return printJson(items);
  if (items.length === 0) return console.log('No metric yet: the first successful run brings them.');
  printTable(
    ['METRIC', 'KIND', 'STATE', 'SINCE', 'RUNS', 'PINNED BY'],
    items.map((one) => [one.metric, one.kind, one.state, one.since ?? '', String(one.runs), one.pinnedBy ?? '']),
  );
}

/** `lamp baseline pin`: from a slot on the values are the norm. */
export async function pin(here: Here, name: string, options: BaselineOptions): Promise<void> {
  if (options.since === undefined) throw new Refusal('Since when? Name the first good day: --since 2026-11-20');
  const since = iso(readFrom('--since', options.since));
  const pinned = await change(here, name, 'pin', options, { since });
  console.log(`${pinned.length === 1 ? pinned[0] : `${pinned.length} metrics`} of ${name} pinned at ${since}.`);
}

/** `lamp baseline reset`: learns anew. */
export async function reset(here: Here, name: string, options: BaselineOptions): Promise<void> {
  await change(here, name, 'reset', options, {});
  console.log(
    `${options.metric ?? 'Every metric'} of ${name} learns anew; ${learning} runs from now it is watched again.`,
  );
}

/** @returns the metrics that were meant */
async function change(
  here: Here,
  name: string,
  order: 'pin' | 'reset',
  { metric, why, by }: BaselineOptions,
  more: object,
): Promise<string[]> {
  const client = await here.connect(by);
  const job = await knownJob(client, name);
  try {
    return (await client.post(jobPath(job, `/baseline/${order}`), { ...more, metric, why }, changed)).metrics;
  } catch (error) {
    if (!(error instanceof ApiRefusal) || error.code !== 'no-such-metric') throw error;
    throw new Refusal(`${job} has no such metric. List them: lamp baseline show ${job}`);
  }
}
