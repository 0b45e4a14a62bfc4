import { z } from 'zod';
import { nearest } from '../../shared/nearest.ts';
import { jobPath, knownJob, query } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { listOf } from '../shapes.ts';
import { printTable } from '../table.ts';

const point = z.looseObject({
  run: z.string(),
  slot: z.string(),
  trigger: z.string(),
  state: z.string(),
  value: z.union([z.number(), z.record(z.string(), z.number())]),
});

/** The API gives no more at once. */
const most = 1_000;

export interface MetricOptions {
  limit: number;
  json?: boolean;
}

/** `lamp metrics`: which metrics a job has had, or the values of one, newest slot first. */
export async function metrics(here: Here, name: string, metric: string | undefined, options: MetricOptions) {
  const { limit, json } = options;
  if (limit > most) throw new Refusal(`--limit ${limit}: expected at most ${most}.`);
  const client = await here.connect();
  const job = await knownJob(client, name);
  const { items: names } = await client.get(jobPath(job, '/metrics'), listOf(z.string()));
  if (metric === undefined) {
    if (json) printJson(names);
    else console.log(names.length === 0 ? `${job} has had no metric yet.` : names.join('\n'));
    return;
  }
  if (!names.includes(metric)) {
    const near = nearest(metric, names);
    const hint = near ? ` Did you mean ${near}?` : ` List them: lamp metrics ${job}`;
    throw new Refusal(`${job} has no metric "${metric}".${hint}`);
  }
  const path = jobPath(job, `/metrics/${encodeURIComponent(metric)}${query({ limit })}`);
  const { items } = await client.get(path, listOf(point));
  if (json) return printJson(items);
  const rows = items.map((one) => [one.run, one.trigger, one.state, valueText(one.value)]);
  printTable(['RUN', 'TRIGGER', 'STATE', 'VALUE'], rows);
}

function valueText(value: number | Record<string, number>): string {
  if (typeof value === 'number') return String(value);
  return Object.entries(value)
    .map(([name, share]) => `${name}=${share}`)
    .join(' ');
}
