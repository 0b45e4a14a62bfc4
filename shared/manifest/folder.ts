import { open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { isRepository, type JobFile, jobFiles } from '../job/files.ts';
import { nearest } from '../nearest.ts';
import { manifestLimitBytes } from './encoding.ts';
import { oddProblem } from './odd.ts';
import type { Problem } from './problem.ts';

/** What a job's folder holds. */
export interface Folder {
  /** Relative paths of files, with forward slashes; what is never packed is left out. */
  files: string[];
  /** The first bytes of job.yaml, one more than it may have; undefined when there is none to read. */
  manifest?: Uint8Array;
  pyproject?: string;
  problems: Problem[];
  /** The first bytes of one of `files`; undefined when it is none of them, or went away meanwhile. */
  read(path: string, most: number): Promise<Buffer | undefined>;
  /** Whether one of `files` may be executed. */
  executable(path: string): boolean;
}

export const folderLimitBytes = 50_000_000;
const fileLimit = 20_000;

/** Reads one job's folder under `root`. Never throws; `shown` is how problems call the folder. */
export async function readFolder(root: string, name: string, shown: string): Promise<Folder> {
  const path = join(root, name);
  const empty: Folder = { files: [], problems: [], read: async () => undefined, executable: () => false };
  try {
    if (!(await inside(root, path))) {
      const message = 'is a link that leaves the jobs folder; expected a folder of its own';
      const problem = {
        file: shown,
        code: 'outside',
        message,
        hint: 'copy the files here: only what is here is reviewed',
      };
      return { ...empty, problems: [problem] };
    }
    const entries = await readdir(path);
    const found = entries.includes('job.yaml')
      ? await readSmallFile(root, join(path, 'job.yaml'), `${shown}/job.yaml`)
      : noManifest(entries, shown);
    const { files, odd } = await jobFiles(root, path, { bytes: folderLimitBytes, files: fileLimit });
    // What is wrong with the manifest itself has been said.
    const others = odd.filter((one) => one.path !== 'job.yaml');
    const problems = [...('code' in found ? [found] : []), ...others.map((one) => oddProblem(one, shown))];
    problems.push(...tooLarge(files, shown));
    const sources = new Map(files.map((file) => [file.path, file.source]));
    const read = async (file: string, most: number) => head(sources.get(file), most);
    const programs = new Set(files.filter((file) => file.executable).map((file) => file.path));
    const executable = (file: string) => programs.has(file);
    const folder: Folder = { files: [...sources.keys()], problems, read, executable };
    if ('bytes' in found) folder.manifest = found.bytes;
    const pyproject = sources.get('pyproject.toml');
    if (pyproject !== undefined) folder.pyproject = await readFile(pyproject, 'utf8');
    return folder;
  } catch (error) {
    return { ...empty, problems: [unreadable(shown, error)] };
  }
}

function tooLarge(files: readonly JobFile[], shown: string): Problem[] {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes <= folderLimitBytes && files.length <= fileLimit) return [];
  const largest = files.reduce((most, file) => (file.bytes > most.bytes ? file : most));
  const size = bytes > folderLimitBytes ? '50 MB' : `${fileLimit} files`;
  const message = `holds more than ${size}; expected code and small files`;
  const hint = `the largest is ${largest.path}: fetch data when the job runs, and keep virtual environments elsewhere`;
  return [{ file: shown, code: 'too-large', message, hint }];
}

async function head(source: string | undefined, most: number): Promise<Buffer | undefined> {
  if (source === undefined) return undefined;
  try {
    return await firstBytes(source, most);
  } catch {
    return undefined;
  }
}

async function firstBytes(path: string, most: number): Promise<Buffer> {
  const handle = await open(path);
  try {
    const buffer = Buffer.alloc(most);
    const { bytesRead } = await handle.read(buffer, 0, most, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/**
 * Files in the jobs folder itself that git takes for a repository: its config may name programs that git then runs, for
 * each person who checks these jobs. @param entries of the jobs folder
 */
export async function repositoryProblems(root: string, place: string, entries: readonly string[]): Promise<Problem[]> {
  const parts = entries.filter((name) => /^(HEAD|config|objects|refs)$/i.test(name));
  const isJob = (name: string) => stat(join(root, name, 'job.yaml')).then(Boolean, () => false);
  const jobs = await Promise.all(parts.map(isJob));
  const whole = isRepository(entries);
  return parts
    .filter((name, index) => whole || name === 'HEAD' || !jobs[index])
    .map((name) => ({
      file: `${place}/${name}`,
      code: 'repository',
      message: 'is a part of a git repository; expected one folder for each job',
      hint: 'delete it: git would run programs that its config names',
    }));
}

/** Why a file or folder could not be read; never to be taken for "not there". */
export function unreadable(file: string, error: unknown): Problem {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const hints: Readonly<Record<string, string>> = {
    EACCES: 'give the account that runs this the right to read it',
    EPERM: 'give the account that runs this the right to read it',
    ENOENT: 'a link points to something that is gone: delete it, or restore what it pointed to',
    ELOOP: 'links point at each other: replace them by files',
    ENOTDIR: 'name the folder that holds one folder for each job',
  };
  const hint = hints[code] ?? 'try again; when it stays, look at the disk';
  return { file, code: 'unreadable', message: `cannot be read (${code})`, hint };
}

async function inside(root: string, path: string): Promise<boolean> {
  return (await realpath(path)).startsWith((await realpath(root)) + sep);
}

/** The first bytes of a file below `root`, one more than a manifest may have. Never throws, never waits. */
export async function readSmallFile(
  root: string,
  path: string,
  file: string,
): Promise<Problem | { bytes: Uint8Array }> {
  try {
    if (!(await inside(root, path))) {
      const message = 'is a link that leaves the jobs folder; expected a file';
      return { file, code: 'outside', message, hint: 'copy the file here: only what is here is reviewed' };
    }
    // Opening a pipe would wait for a writer that never comes.
    if (!(await stat(path)).isFile()) {
      return {
        file,
        code: 'no-file',
        message: 'is no regular file; expected a text file',
        hint: 'replace it by a file',
      };
    }
    return { bytes: await firstBytes(path, manifestLimitBytes + 1) };
  } catch (error) {
    return unreadable(file, error);
  }
}

function noManifest(entries: string[], shown: string): Problem {
  const other =
    entries.find((entry) => /^job\.ya?ml$/i.test(entry)) ??
    nearest(
      'job.yaml',
      entries.filter((entry) => /\.ya?ml$/i.test(entry)),
    );
  if (other) {
    const message = `is not read; expected the name job.yaml`;
    return { file: `${shown}/${other}`, code: 'wrong-file-name', message, hint: 'rename it to job.yaml' };
  }
  const hint = 'add one (docs/manifest.md), or let the folder begin with _ when it is no job';
  return { file: shown, code: 'missing-manifest', message: 'has no job.yaml; expected one in each folder', hint };
}
