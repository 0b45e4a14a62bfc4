import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pack } from '../shared/bundle.ts';
import type { Catalog, Deployed } from '../shared/catalog.ts';
import { checkJobs } from '../shared/manifest/check.ts';
import type { Problem } from '../shared/manifest/problem.ts';

/** Reads, checks and packs the jobs of a folder; jobs with problems are left out. */
export async function readFolder(folder: string): Promise<{ catalog: Catalog; problems: Problem[] }> {
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
