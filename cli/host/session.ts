import { setTimeout as sleep } from 'node:timers/promises';
import { nearest } from '../../shared/nearest.ts';
import { isFinal, parseRunName, type Run } from '../../shared/run/run.ts';
import type { Store } from '../../shared/store/store.ts';
import type { Home } from '../home.ts';
import { Refusal } from '../refusal.ts';
import { composeLocal, type LocalParts } from './compose.ts';
import { brokenJobs, readManifests } from './folder.ts';
import { runningHost } from './lock.ts';
import { hasStore, type OpenStore, openConnection, openFolder } from './store.ts';

/** A host that has just begun gets this long to make its store ready, ms. */
const startingUp = 20_000;

/** The store that commands work on: the one of this folder, or the account that the environment names. */
export async function openHere(home: Home): Promise<OpenStore> {
  const given = process.env.LAMPLIGHTER_STORAGE;
  if (given !== undefined) return openConnection(given);
  for (const deadline = Date.now() + startingUp; Date.now() < deadline; await sleep(100)) {
    const host = await runningHost(home.state);
    // It shows its address once the store is ready. A store whose host has ended can still be read.
    if (host && host.url === null) continue;
    if (hasStore(home)) return openFolder(home);
    if (!host) break;
  }
  throw new Refusal(
    `Lamplighter does not run in ${home.root}. Start it there with: npm start (or name another folder with --home)`,
  );
}

/** The service's parts for one command, and which jobs cannot be read. */
export interface Session extends LocalParts {
  home: Home;
  broken: ReadonlySet<string>;
}

export async function openParts(home: Home): Promise<Session> {
  const opened = await openHere(home);
  const { catalog, problems } = await readManifests(home.jobs);
  const options = { opened, catalog: () => catalog, emit: () => {}, ended: () => {}, python: 'python3' };
  return { ...(await composeLocal(home, options)), home, broken: brokenJobs(home.jobs, problems) };
}

/** Every job that has a folder or a past. */
export async function jobNames({ store, catalog, broken }: Session): Promise<string[]> {
  const names = new Set([...catalog().keys(), ...broken]);
  for await (const { value } of store.jobs.all()) names.add(value.name);
  return [...names].sort();
}

/** @returns the name. @throws Refusal naming the nearest when there is no such job */
export async function knownJob(parts: Session, name: string): Promise<string> {
  if (parts.catalog().has(name)) return name;
  const names = await jobNames(parts);
  if (names.includes(name)) return name;
  const none = names.length === 0 ? ' There is none yet: make one with lamp new <job>' : '';
  throw new Refusal(`There is no job "${name}".${suggest(name, names)}${none}`);
}

/** A job that could run now. @throws Refusal when its folder is gone, or cannot be read */
export async function runnableJob(parts: Session, name: string) {
  const known = await knownJob(parts, name);
  const deployed = parts.catalog().get(known);
  if (deployed?.job.external) throw new Refusal(`${known} is external: start it where it runs.`);
  if (deployed) return deployed.job;
  if (parts.broken.has(known))
    throw new Refusal(`${known} cannot run, its folder has problems: lamp check names them.`);
  throw new Refusal(`${known} cannot run: its folder is gone from ${parts.home.jobs}.`);
}

/** A run by its name, or the newest of a job by the job's. */
export async function findRun(parts: Session, name: string): Promise<Run> {
  const { store } = parts;
  const id = parseRunName(name);
  if (id) {
    const found = await store.runs.get(id.job, id.id);
    if (found) return found.value;
  }
  const dot = name.indexOf('.');
  const job = await knownJob(parts, dot < 0 ? name : name.slice(0, dot));
  if (dot >= 0) {
    const recent = (await newest(store, job, 200)).map((run) => `${job}.${run.id}`);
    throw new Refusal(`There is no run "${name}".${suggest(name, recent)} They are listed by: lamp runs ${job}`);
  }
  const latest = meantBy([...(await newest(store, job, 50)), ...(await remembered(store, job))]);
  if (!latest) throw new Refusal(`${job} has not run yet. Its next runs: lamp next ${job}`);
  return latest;
}

/**
 * The run that people mean by its job's name: the one under way that started last, else the one that started last, as
 * a rerun of an old slot does, else the first that is queued. @param recent newest slot first
 */
export function meantBy(recent: readonly Run[]): Run | undefined {
  const since = (run: Run) => run.attempts.at(-1)?.startedAt ?? run.startedAt ?? 0;
  const begun = recent.filter(({ attempts }) => attempts.length > 0).sort((a, b) => since(b) - since(a));
  // A person's own run or rerun counts as under way while it waits; the slot of the coming minute does not.
  const waiting = recent.find(
    ({ state, trigger }) => state === 'queued' && (trigger === 'manual' || trigger === 'rerun'),
  );
  return (
    begun.find(({ state }) => !isFinal(state)) ?? waiting ?? begun[0] ?? recent.find(({ state }) => state === 'queued')
  );
}

/** Runs that the job's row names: a rerun of an old slot is not among the newest slots. */
async function remembered(store: Store, job: string): Promise<Run[]> {
  const row = (await store.jobs.get(job))?.value;
  const ids = new Set([
    ...(row?.running.map(({ run }) => run) ?? []),
    ...[row?.waiting, row?.last?.id].filter((id) => typeof id === 'string'),
  ]);
  const found = await Promise.all([...ids].map((id) => store.runs.get(job, id)));
  return found.flatMap((one) => (one ? [one.value] : []));
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
  if (known.length === 0) return '';
  return ` There ${known.length === 1 ? 'is' : 'are'}: ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}`;
}
