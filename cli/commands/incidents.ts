import { styleText } from 'node:util';
import type { IncidentJson } from '../../shared/api/json.ts';
import { visible } from '../../shared/text.ts';
import type { Client } from '../client.ts';
import { knownJob, query } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { incidentShape, listOf } from '../shapes.ts';
import { printTable } from '../table.ts';
import type { ActOptions } from './act.ts';

export interface ListOptions {
  all?: boolean;
  limit: number;
  json?: boolean;
}

/** The API gives no more at once. */
const most = 1_000;

/** `lamp incidents`: what is wrong now, worst first; with --all what was as well. */
export async function incidents(here: Here, name: string | undefined, options: ListOptions): Promise<void> {
  const { all = false, limit } = options;
  if (limit > most) throw new Refusal(`--limit ${limit}: expected at most ${most}.`);
  const client = await here.connect();
  const job = name === undefined ? undefined : await knownJob(client, name);
  const found = await list(client, { job, past: all ? 'true' : undefined, limit: all ? limit : most });
  const listed = found.filter(({ state }) => all || state !== 'resolved').slice(0, limit);
  if (options.json) printJson(listed.map(printed));
  else if (listed.length === 0) console.log(all ? 'There has been no incident.' : 'Nothing is wrong.');
  else printTable(['SINCE', 'STATE', 'SEVERITY', 'INCIDENT', 'TIMES', 'WHAT'], listed.map(row));
}

async function list(client: Client, asked: Record<string, string | number | undefined>): Promise<IncidentJson[]> {
  return (await client.get(`/incidents${query(asked)}`, listOf(incidentShape))).items;
}

function row(one: IncidentJson): string[] {
  const colour = one.state === 'resolved' ? 'dim' : one.severity === 'warning' ? 'yellow' : 'red';
  const taken = one.acknowledged ? ` by ${one.acknowledged.by}` : '';
  return [
    one.since.slice(0, 16).concat('Z'),
    styleText(colour, one.state) + visible(taken),
    one.severity,
    one.id,
    String(one.times),
    visible(one.text),
  ];
}

/** Its id is called `incident` here, as `run` and `job` are called in other lists. */
function printed({ id, ...rest }: IncidentJson) {
  return { incident: id, ...rest };
}

/** `lamp ack`: an operator takes an incident, or all open ones of a job. */
export async function ack(here: Here, name: string, options: ActOptions): Promise<void> {
  await act(here, name, options, 'acknowledge', 'acknowledged', ({ state }) => state === 'open');
}

/** `lamp resolve`: an operator says that it is over. */
export async function resolveIncident(here: Here, name: string, options: ActOptions): Promise<void> {
  await act(here, name, options, 'resolve', 'resolved', ({ state }) => state !== 'resolved');
}

async function act(
  here: Here,
  name: string,
  { why, by, json }: ActOptions,
  order: 'acknowledge' | 'resolve',
  word: string,
  wanted: (incident: IncidentJson) => boolean,
): Promise<void> {
  const client = await here.connect(by);
  const named = (await list(client, { limit: most })).filter(({ id, job }) => id === name || job === name);
  if (named.length === 0) {
    if (!name.includes('.')) await knownJob(client, name);
    throw new Refusal(`${name} has no open incident. They are listed by: lamp incidents`);
  }
  const done: IncidentJson[] = [];
  for (const { id } of named.filter(wanted)) {
    done.push(await client.post(`/incidents/${encodeURIComponent(id)}/${order}`, { why }, incidentShape));
  }
  if (json) printJson(done.map(printed));
  else if (done.length === 0) console.log(`Nothing of ${name} was left to be ${word}.`);
  else for (const { id } of done) console.log(`${id} is ${word}.`);
}
