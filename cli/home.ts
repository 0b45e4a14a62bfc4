import { existsSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';

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

/** @param start folder to look from, upwards; without any `jobs/` above it, itself. */
export function findHome(start = process.env.LAMPLIGHTER_HOME ?? process.cwd()): Home {
  const root = withJobs(resolve(start)) ?? resolve(start);
  const state = join(root, '.lamplighter');
  return {
    root,
    jobs: join(root, 'jobs'),
    state,
    cache: join(state, 'cache'),
    shim: join(import.meta.dirname, '..', 'infra', 'runtime', 'lamplighter_shim'),
    shimLog: join(state, 'shim.log'),
    secrets: process.env.LAMPLIGHTER_SECRETS ?? join(homedir(), '.config', 'lamplighter', 'secrets.env'),
    person: `${userInfo().username}@${hostname()}`,
  };
}

function withJobs(folder: string): string | undefined {
  if (existsSync(join(folder, 'jobs'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : withJobs(parent);
}
