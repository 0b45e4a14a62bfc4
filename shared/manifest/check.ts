import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isRepository } from '../job/files.ts';
import { type Isolation, uncontained, ungranted } from '../job/isolation.ts';
import type { Job } from '../job/job.ts';
import { open } from '../schedule/calendar.ts';
import { type Calendars, closedOf, readCalendars } from './calendars.ts';
import { contentProblems } from './contents.ts';
import { type CheckedJob, inputProblems, lookAlikeProblems } from './cross-check.ts';
import { readFolder, repositoryProblems, unreadable } from './folder.ts';
import { nameFault } from './name.ts';
import { byPlace, isError, type Problem } from './problem.ts';
import { readManifest } from './reading.ts';
import { problem } from './rule.ts';
import { toJob } from './to-job.ts';

export interface CheckOptions {
  /** What the host of these jobs keeps them in; left out: nothing is demanded of them. */
  isolation?: Isolation;
}

export interface Checked {
  /** The valid ones only, by name. */
  jobs: Job[];
  /** By file and line. */
  problems: Problem[];
}

/**
 * Reads the jobs folder: one folder for each job; files and folders that begin with `.` or `_` are no jobs. Reports
 * every problem of every job at once, needs no cloud, changes nothing and never throws. Problems name files below
 * `folder` as it was given.
 */
export async function checkJobs(folder: string, options: CheckOptions = {}): Promise<Checked> {
  const hint = 'name the folder that holds one folder for each job, or start one: lamp new <name>';
  let names: string[];
  try {
    names = await jobNames(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return { jobs: [], problems: [unreadable(folder, error)] };
    return {
      jobs: [],
      problems: [{ file: folder, code: 'no-jobs', message: 'does not exist; expected the jobs folder', hint }],
    };
  }
  if (await isJobItself(folder, names)) {
    const message = 'is a job itself; expected the folder that holds it';
    const above = `check the folder above: lamp check ${join(folder, '..')}`;
    return { jobs: [], problems: [{ file: folder, code: 'no-jobs', message, hint: above }] };
  }
  const repository = await repositoryProblems(folder, placeOf(folder), await readdir(folder).catch(() => []));
  if (names.length === 0 && repository.length === 0) {
    return {
      jobs: [],
      problems: [{ file: folder, code: 'no-jobs', message: 'holds no job; expected one folder for each', hint }],
    };
  }

  const checked: CheckedJob[] = [];
  const calendars = await readCalendars(folder, placeOf(folder));
  for (const name of names) checked.push(await checkJob(folder, name, calendars));
  for (const one of checked) one.problems.push(...isolationProblems(one, options.isolation ?? uncontained));
  for (const { name, problem } of [...lookAlikeProblems(checked), ...inputProblems(checked)]) {
    checked.find((one) => one.name === name)?.problems.push(problem);
  }
  return {
    jobs: checked.flatMap(({ job, problems }) => (job && !problems.some(isError) ? [job] : [])),
    problems: [...repository, ...calendars.problems, ...checked.flatMap(({ problems }) => problems)].sort(byPlace),
  };
}

/** Whether `folder` has a job.yaml, and none of the folders in it has one. */
async function isJobItself(folder: string, names: readonly string[]): Promise<boolean> {
  const isJob = (name: string) => stat(join(folder, name, 'job.yaml')).then(Boolean, () => false);
  return (await isJob('.')) && !(await Promise.all(names.map(isJob))).includes(true);
}

/** Folders, and links to folders, in order. @throws what the file system says when `folder` cannot be read. */
export async function jobNames(folder: string): Promise<string[]> {
  const all = await readdir(folder, { withFileTypes: true });
  // What is a part of a repository is no job that lacks its manifest.
  const inRepository = isRepository(all.map(({ name }) => name));
  const entries = all.filter(({ name }) => !/^[._]/.test(name) && !(inRepository && /^(objects|refs)$/i.test(name)));
  const isJob = async (entry: Dirent) => {
    if (!entry.isSymbolicLink()) return entry.isDirectory();
    // A link that leads nowhere may have been a job: it is read, and then reported.
    return stat(join(folder, entry.name)).then(
      (target) => target.isDirectory(),
      () => true,
    );
  };
  const jobs = await Promise.all(entries.map(isJob));
  return entries.flatMap(({ name }, index) => (jobs[index] ? [name] : [])).sort();
}

/** One job on its own; what it shares with others is judged afterwards. */
async function checkJob(root: string, name: string, calendars: Calendars): Promise<CheckedJob> {
  const place = `${placeOf(root)}/${name}`;
  const folder = await readFolder(root, name, place);
  const fault = nameFault(name);
  const problems: Problem[] = [...(fault ? [{ file: place, ...fault }] : []), ...folder.problems];
  if (!folder.manifest) return { name, place, problems };

  const { manifest, document, problems: own } = readManifest(folder.manifest, `${place}/job.yaml`);
  problems.push(...own, ...(await contentProblems(document, folder, place)));
  const { closed, problems: missing } = manifest && document ? closedOf(manifest, calendars, document) : noneClosed;
  problems.push(...missing);
  const base = { name, place, problems, ...(document && { document }) };
  if (!manifest || problems.some(isError)) return base;
  const env = Object.entries(manifest.env).map(([key, value]) => [key, textOf(value, document?.source(['env', key]))]);
  const facts = { name, folder: resolve(root, name), locked: folder.files.includes('uv.lock'), closed };
  return { ...base, job: toJob(manifest, { ...facts, env: Object.fromEntries(env) }) };
}

/** What a job asks for that the installation does not grant. */
function isolationProblems({ job, document }: CheckedJob, isolation: Isolation): Problem[] {
  if (!job || !document) return [];
  return ungranted(job, isolation).map(({ field, value, flag }) => {
    const message = `${value} leaves the container that this host keeps jobs in; expected no ${field}, or ${field === 'executor' ? 'docker' : 'none or bridge'}`;
    const hint = `delete the line; an operator who trusts the job starts the host with ${flag}`;
    return problem(document, ['run', field], 'isolation', message, hint);
  });
}

/** How problems call the jobs folder: as it was given. */
function placeOf(root: string): string {
  return root.replace(/[\\/]+$/, '') || root;
}

const noneClosed = { closed: open, problems: [] };

/** Numbers and booleans as they were typed. */
function textOf(value: string | number | boolean, source: string | undefined): string {
  return typeof value === 'string' ? value : (source ?? String(value));
}
