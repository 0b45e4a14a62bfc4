import type { z } from 'zod';
import type { JobJson, RunJson } from '../shared/api/json.ts';
import { nearest } from '../shared/nearest.ts';
import { ApiRefusal, type Client } from './client.ts';
import { Refusal } from './refusal.ts';
import { jobShape, type List, listOf, runShape } from './shapes.ts';

/** Longest page that the API gives. */
const pageSize = 500;

/** Path of a job, behind `/api/v1`. @param rest begins with a slash */
export function jobPath(job: string, rest = ''): string {
  return `/jobs/${encodeURIComponent(job)}${rest}`;
}

/** Path of a run. @param run its name, job and id. */
export function runPath(run: string, rest = ''): string {
  const dot = run.indexOf('.');
  return jobPath(run.slice(0, dot), `/runs/${encodeURIComponent(run.slice(dot + 1))}${rest}`);
}

/** A query with what is given. */
export function query(values: Record<string, string | number | undefined>): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) text.set(name, String(value));
  return text.size === 0 ? '' : `?${text}`;
}

/** All that a list has, page by page, at most `most`. @param path with its query, but for `limit` and `cursor` */
export async function all<T>(
  client: Client,
  path: string,
  item: z.ZodType<T>,
  most = Number.POSITIVE_INFINITY,
): Promise<T[]> {
  const shape = listOf(item);
  const items: T[] = [];
  let cursor: string | undefined;
  while (items.length < most) {
    const more = query({ limit: Math.min(most - items.length, pageSize), cursor }).slice(1);
    const page: List<T> = await client.get(`${path}${path.includes('?') ? '&' : '?'}${more}`, shape);
    items.push(...page.items);
    if (page.next === null) break;
    cursor = page.next;
  }
  return items;
}

export function allJobs(client: Client): Promise<JobJson[]> {
  return all(client, '/jobs', jobShape);
}

/** @throws Refusal naming the nearest when there is no such job */
export async function findJob(client: Client, name: string): Promise<JobJson | undefined> {
  try {
    return await client.get(jobPath(name), jobShape);
  } catch (error) {
    if (!isUnknown(error)) throw error;
    if (client.broken.has(name)) return undefined;
    throw await unknownJob(client, name);
  }
}

/** @returns the name. @throws Refusal naming the nearest when there is no such job */
export async function knownJob(client: Client, name: string): Promise<string> {
  await findJob(client, name);
  return name;
}

/** A job that could run now. @throws Refusal when its folder cannot be read */
export async function runnableJob(client: Client, name: string): Promise<string> {
  await findJob(client, name);
  if (client.broken.has(name)) {
    throw new Refusal(`${name} cannot run, its folder has problems: lamp check names them.`);
  }
  return name;
}

/** A run by its name, or by that of its job the one that people mean. */
export async function findRun(client: Client, name: string): Promise<RunJson> {
  const dot = name.indexOf('.');
  const job = dot < 0 ? name : name.slice(0, dot);
  try {
    return await client.get(dot < 0 ? jobPath(job, '/latest-run') : runPath(name), runShape);
  } catch (error) {
    if (!isUnknown(error)) throw error;
    await findJob(client, job);
    if (dot < 0) throw new Refusal(`${job} has not run yet. Its next runs: lamp next ${job}`);
    const recent = await all(client, jobPath(job, '/runs'), runShape, 200);
    const names = recent.map(({ run }) => run);
    throw new Refusal(`There is no run "${name}".${suggest(name, names)} They are listed by: lamp runs ${job}`);
  }
}

/** What the API does not have, or no name that it could have. */
function isUnknown(error: unknown): boolean {
  return error instanceof ApiRefusal && ['no-such-job', 'no-such-run', 'bad-request'].includes(error.code);
}

async function unknownJob(client: Client, name: string): Promise<Refusal> {
  const names = [...new Set([...(await allJobs(client)).map(({ job }) => job), ...client.broken])].sort();
  const none = client.remote ? ' There is none yet: deploy one' : ' There is none yet: make one with lamp new <job>';
  return new Refusal(`There is no job "${name}".${suggest(name, names)}${names.length === 0 ? none : ''}`);
}

function suggest(name: string, known: string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) return ` Did you mean ${near}?`;
  if (known.length === 0) return '';
  return ` There ${known.length === 1 ? 'is' : 'are'}: ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}`;
}
