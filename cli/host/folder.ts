import { execFile } from 'node:child_process';
import { relative } from 'node:path';
import { promisify } from 'node:util';
import { pack } from '../../shared/job/bundle.ts';
import type { Catalog, Deployed } from '../../shared/job/catalog.ts';
import { checkJobs } from '../../shared/manifest/check.ts';
import type { Problem } from '../../shared/manifest/problem.ts';

export interface ReadFolder {
  catalog: Catalog;
  problems: Problem[];
}

/** Reads, checks and packs the jobs of a folder; jobs with problems are left out. */
export async function readFolder(folder: string): Promise<ReadFolder> {
  const [{ jobs, problems }, commit] = await Promise.all([checkJobs(folder), commitOf(folder)]);
  const catalog = new Map<string, Deployed>();
  for (const job of jobs) {
    const { digest, lock } = await pack(job.folder);
    // Packed again when needed: holding every zip would cost the memory of all jobs' code.
    const zip = async () => (await pack(job.folder)).zip;
    catalog.set(job.name, { job, bundle: digest, lock, commit, zip });
  }
  return { catalog, problems };
}

/** The same for commands, which only look and queue: reading all the code would make each of them wait. */
export async function readManifests(folder: string): Promise<ReadFolder> {
  const { jobs, problems } = await checkJobs(folder);
  const zip = () => Promise.reject(new Error('a command deploys nothing: the host does'));
  return {
    catalog: new Map(jobs.map((job) => [job.name, { job, bundle: '', lock: null, commit: null, zip }])),
    problems,
  };
}

/** Names of the jobs that have a problem. */
export function brokenJobs(folder: string, problems: Problem[]): Set<string> {
  return new Set(
    problems
      .map(({ file }) => relative(folder, file).split(/[\\/]/)[0] ?? '')
      .filter((name) => !/^([._]|$)/.test(name)),
  );
}

/** Commit of the folder's repository, with `+` when the folder differs from it; null outside a repository. */
async function commitOf(folder: string): Promise<string | null> {
  const git = async (...args: string[]) => (await promisify(execFile)('git', ['-C', folder, ...args])).stdout.trim();
  try {
    const [commit, changes] = await Promise.all([git('rev-parse', 'HEAD'), git('status', '--porcelain', '--', '.')]);
    return changes === '' ? commit : `${commit}+`;
  } catch {
    return null;
  }
}
