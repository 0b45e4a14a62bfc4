import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Job } from '../job/job.ts';
import { open } from '../schedule/calendar.ts';
import { type Calendars, closedOf, readCalendars } from './calendars.ts';
import { contentProblems } from './contents.ts';
import { type CheckedJob, inputProblems, lookAlikeProblems } from './cross-check.ts';
import { readFolder, unreadable } from './folder.ts';
import { nameFault } from './name.ts';
import { byPlace, type Problem } from './problem.ts';
import { readManifest } from './reading.ts';
import { toJob } from './to-job.ts';

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
export async function checkJobs(folder: string): Promise<Checked> {
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
  if (names.length === 0) {
    return {
      jobs: [],
      problems: [{ file: folder, code: 'no-jobs', message: 'holds no job; expected one folder for each', hint }],
    };
  }

  const checked: CheckedJob[] = [];
  const calendars = await readCalendars(folder, placeOf(folder));
  for (const name of names) checked.push(await checkJob(folder, name, calendars));
  for (const { name, problem } of [...lookAlikeProblems(checked), ...inputProblems(checked)]) {
    checked.find((one) => one.name === name)?.problems.push(problem);
  }
  return {
    jobs: checked.flatMap(({ job, problems }) => (job && problems.length === 0 ? [job] : [])),
    problems: [...calendars.problems, ...checked.flatMap(({ problems }) => problems)].sort(byPlace),
  };
}

/** Folders, and links to folders, in order. @throws what the file system says when `folder` cannot be read. */
export async function jobNames(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !/^[._]/.test(name));
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
  problems.push(...own, ...contentProblems(document, folder, place));
  const { closed, problems: missing } = manifest && document ? closedOf(manifest, calendars, document) : noneClosed;
  problems.push(...missing);
  const base = { name, place, problems, ...(document && { document }) };
  if (!manifest || problems.length > 0) return base;
  const env = Object.entries(manifest.env).map(([key, value]) => [key, textOf(value, document?.source(['env', key]))]);
  const facts = { name, folder: resolve(root, name), locked: folder.files.includes('uv.lock'), closed };
  return { ...base, job: toJob(manifest, { ...facts, env: Object.fromEntries(env) }) };
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
