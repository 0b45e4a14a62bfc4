import { z } from 'zod';
import type { EventJson, RunJson } from '../../shared/api/json.ts';
import { withoutQueries } from '../../shared/text.ts';
import { ApiRefusal, type Client } from '../client.ts';
import { all, jobPath, query, runPath } from '../find.ts';
import { eventShape, incidentShape, listOf, runShape } from '../shapes.ts';

/** One file for support. */
export interface Part {
  name: string;
  text: string;
}

export interface Collected {
  parts: Part[];
  /** What could not be had, and why. */
  missing: string[];
}

/** Of a long log its end says what happened, in bytes. */
const mostLog = 5 * 1024 * 1024;
const mostEvents = 200;
const mostRuns = 20;
const anything = z.looseObject({});

/** What is left out on purpose, for people who are asked to send the file on. */
export const leftOut = [
  'values of secrets: only their names and versions are in here',
  'what the job read and made: of outputs only names, sizes and checksums are in here',
  'the code of the job: bundle and commit name it',
  `logs of other runs; of each log of this run at most the last ${mostLog / 2 ** 20} MiB, as they are stored: redacted`,
];

/** Asks the service for all that support needs to know of a run. What cannot be had is named, and the rest is collected. */
export async function collect(client: Client, run: RunJson): Promise<Collected> {
  const parts: Part[] = [];
  const missing: string[] = [];
  const add = (name: string, value: unknown) => {
    parts.push({ name, text: typeof value === 'string' ? value : `${JSON.stringify(value, null, 2)}\n` });
  };
  async function from<T>(name: string, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      const value = await ask();
      add(name, value);
      return value;
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      missing.push(`${name}: ${error.message}`);
      return undefined;
    }
  }
  const { job } = run;
  const items = async <T>(path: string, shape: z.ZodType<T>) => (await client.get(path, listOf(shape))).items;
  add('run.json', run);
  for (const { number } of run.attempts) {
    await from(`attempt-${number}.log`, () => endOfLog(client, run, number));
  }
  await from('job.json', () => client.get(jobPath(job), anything));
  const events = await from('events.json', () => items(jobPath(job, `/events?limit=${mostEvents}`), eventShape));
  const manifest = manifestOf(events ?? [], run);
  if (manifest === undefined)
    missing.push(`manifest.json: no deployment of ${job} is among its last ${mostEvents} events`);
  else add('manifest.json', manifest);
  await from('incidents.json', () => items(`/incidents${query({ job, past: 'true', limit: 50 })}`, incidentShape));
  await from('runs.json', () => all(client, jobPath(job, '/runs'), runShape, mostRuns));
  await from('health.json', () => client.get('/health', anything));
  await from('ticks.json', () => client.get('/clock', anything));
  await from('caller.json', () => client.get('/me', anything));
  return { parts, missing };
}

async function endOfLog(client: Client, run: RunJson, number: number): Promise<string> {
  const size = run.attempts.find((one) => one.number === number)?.logBytes ?? 0;
  let offset = Math.max(size - mostLog, 0);
  let end = Buffer.from(offset > 0 ? `… the first ${offset} bytes are left out\n` : '');
  for (;;) {
    const { bytes, next } = await client.log(runPath(run.run, `/attempts/${number}/log?offset=${offset}`));
    if (bytes.length === 0) return end.toString();
    end = Buffer.concat([end, bytes]).subarray(-2 * mostLog);
    offset = next;
  }
}

/** The job as it was when the run began: what the last deployment before kept. */
function manifestOf(events: readonly EventJson[], run: RunJson): unknown {
  const deployed = events.filter(({ kind, details }) => kind === 'deployed' && typeof details.manifest === 'string');
  const found = deployed.find(({ at }) => at <= run.createdAt) ?? deployed.at(-1);
  if (!found) return undefined;
  const { manifest, ...rest } = found.details;
  return { deployedAt: found.at, by: found.by, ...rest, manifest: JSON.parse(String(manifest)) };
}

/**
 * Without what must not leave: queries of addresses, which may open storage, and values of secrets where this machine
 * knows them. Logs are redacted when they are written; reasons and arguments come from people.
 */
export function cleaned(text: string, secrets: ReadonlyMap<string, string>): string {
  let clean = withoutQueries(text);
  for (const [name, value] of secrets) {
    for (const form of new Set([value, JSON.stringify(value).slice(1, -1)])) {
      clean = clean.replaceAll(form, `[secret ${name}]`);
    }
  }
  return clean;
}
