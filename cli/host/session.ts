import { setTimeout as sleep } from 'node:timers/promises';
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
