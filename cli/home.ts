import { existsSync, statSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Refusal } from './refusal.ts';

/** Where things are on this machine. */
export interface Home {
  /** The repository: the folder that holds `jobs/`. */
  root: string;
  jobs: string;
  /** Everything that this machine keeps: store, caches, who runs here. Not for git. */
  state: string;
  cache: string;
  shim: string;
  shimLog: string;
  secrets: string;
  /** Who acts, for the audit. */
  person: string;
}

/**
 * @param given the folder that holds `jobs/`; without it the nearest one from here upwards, or here.
 * @throws Refusal when `given` is no folder
 */
export function findHome(given = process.env.LAMPLIGHTER_HOME): Home {
  const root = given ? existing(given) : (withJobs(process.cwd()) ?? process.cwd());
  const state = join(root, '.lamplighter');
  return {
    root,
    jobs: join(root, 'jobs'),
    state,
    cache: join(state, 'cache'),
    shim: join(import.meta.dirname, '..', 'infra', 'runtime', 'lamplighter_shim'),
    shimLog: join(state, 'shim.log'),
    secrets: process.env.LAMPLIGHTER_SECRETS ?? join(homedir(), '.config', 'lamplighter', 'secrets.env'),
    person: `${userName()}@${hostname()}`,
  };
}

function existing(given: string): string {
  const root = resolve(given);
  const found = statSync(root, { throwIfNoEntry: false });
  if (found?.isDirectory()) return root;
  const fault = found ? 'is not a folder' : 'does not exist';
  throw new Refusal(`${root} ${fault}: --home (or LAMPLIGHTER_HOME) names the folder that holds jobs/`);
}

function withJobs(folder: string): string | undefined {
  if (existsSync(join(folder, 'jobs'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : withJobs(parent);
}

/** In a container the user id may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
