import { join, relative } from 'node:path';
import { pack } from '../../shared/job/bundle.ts';
import type { Catalog, Deployed } from '../../shared/job/catalog.ts';
import { goldenIn } from '../../shared/job/golden.ts';
import { type CheckOptions, checkJobs } from '../../shared/manifest/check.ts';
import { unreadable } from '../../shared/manifest/folder.ts';
import { isError, type Problem } from '../../shared/manifest/problem.ts';
import { count } from '../words.ts';
import { commitOf } from './commit.ts';

export interface ReadFolder {
  catalog: Catalog;
  problems: Problem[];
}

/** Reads, checks and packs the jobs of a folder; jobs with problems are left out. */
export async function readFolder(folder: string, options: CheckOptions = {}): Promise<ReadFolder> {
  const made = Date.now();
  const [{ jobs, problems }, commit] = await Promise.all([checkJobs(folder, options), commitOf(folder)]);
  const catalog = new Map<string, Deployed>();
  const unpacked: Problem[] = [];
  for (const job of jobs) {
    try {
      const { digest, lock, zip: packed } = await pack(job.folder);
      const golden = goldenIn(packed);
      // Packed again when needed: holding every zip would cost the memory of all jobs' code.
      const zip = async () => (await pack(job.folder)).zip;
      catalog.set(job.name, { job, bundle: digest, lock, commit, golden, zip });
    } catch (error) {
      // A file that went away or was locked since it was checked: the other jobs are none the worse for it.
      unpacked.push(unreadable(join(folder, job.name), error));
    }
  }
  const all = [...problems, ...unpacked];
  const from = { made, read: made, broken: brokenJobs(folder, all) };
  return { catalog: Object.assign(catalog, { package: from }), problems: all };
}

/** The same for commands, which only look and queue: reading all the code would make each of them wait. */
export async function readManifests(folder: string, options: CheckOptions = {}): Promise<ReadFolder> {
  const { jobs, problems } = await checkJobs(folder, options);
  const zip = () => Promise.reject(new Error('a command deploys nothing: the host does'));
  return {
    catalog: new Map(jobs.map((job) => [job.name, { job, bundle: '', lock: null, commit: null, zip }])),
    problems,
  };
}

/** Names of the jobs that have a problem which keeps them from running. */
export function brokenJobs(folder: string, problems: Problem[]): Set<string> {
  const errors = problems.filter((problem) => isError(problem) && problem.code !== 'repository');
  const names = errors.map(({ file }) => relative(folder, file).split(/[\\/]/)[0] ?? '');
  return new Set(names.filter((name) => !/^([._]|$)/.test(name)));
}

/** `1 problem`, `2 problems and 1 warning`. */
export function problemCount(problems: readonly Problem[]): string {
  const errors = problems.filter(isError).length;
  const warnings = problems.length - errors;
  return `${count(errors, 'problem')}${warnings > 0 ? ` and ${count(warnings, 'warning')}` : ''}`;
}
