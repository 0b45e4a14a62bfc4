import { nearest } from '../shared/nearest.ts';
import { parseRunName, type Run } from '../shared/run.ts';
import type { Store } from '../shared/store/store.ts';
import { runningStore } from './azurite.ts';
import { composeLocal, type LocalParts } from './compose.ts';
import { readFolder } from './folder.ts';
import type { Home } from './home.ts';

/** What a person did that cannot be done; said in one message, without a stack. */
export class Refusal extends Error {}

/** The store that commands work on: the one that runs in this folder. */
export async function openHere(home: Home): Promise<string> {
  const connection = process.env.LAMPLIGHTER_STORAGE ?? (await runningStore(home.state));
  if (connection === undefined) {
    throw new Refusal(`Lamplighter does not run in ${home.root}. Start it there with: npm start`);
  }
  return connection;
}

/** The service's parts for one command. */
export async function openParts(home: Home): Promise<LocalParts> {
  const connection = await openHere(home);
  const { catalog } = await readFolder(home.jobs);
  return composeLocal(home, { connection, catalog: () => catalog, journal: () => {}, ended: () => {} });
}

/** Every job that has a folder or a past. */
export async function jobNames({ store, catalog }: LocalParts): Promise<string[]> {
  const names = new Set(catalog().keys());
  for await (const { value } of store.jobs.all()) names.add(value.name);
  return [...names].sort();
}

export async function knownJob(parts: LocalParts, name: string): Promise<string> {
  const names = await jobNames(parts);
  if (names.includes(name)) return name;
  throw new Refusal(`There is no job "${name}".${suggest(name, names)}`);
}

/** A run by its name, or the newest of a job by the job's. */
export async function findRun(parts: LocalParts, name: string): Promise<Run> {
  const { store } = parts;
  const id = parseRunName(name);
  if (id) {
    const found = await store.runs.get(id.job, id.id);
    if (found) return found.value;
    const job = await knownJob(parts, id.job);
    const recent = (await newest(store, job, 200)).map((run) => `${job}.${run.id}`);
    throw new Refusal(`There is no run "${name}".${suggest(name, recent)}`);
  }
  const job = await knownJob(parts, name);
  const recent = await newest(store, job, 50);
  // The slot of the coming minute is queued already; people mean what has started.
  const latest = recent.find((run) => run.attempts.length > 0) ?? recent.find((run) => run.state === 'queued');
  if (!latest) throw new Refusal(`${job} has not run yet. Its next runs: lamp next ${job}`);
  return latest;
}

async function newest(store: Store, job: string, count: number): Promise<Run[]> {
  const runs: Run[] = [];
  for await (const { value } of store.runs.list(job, { page: count })) {
    runs.push(value);
    if (runs.length === count) break;
  }
  return runs;
}

function suggest(name: string, known: string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) return ` Did you mean ${near}?`;
  return known.length > 0 ? ` There are: ${known.slice(0, 10).join(', ')}` : '';
}
