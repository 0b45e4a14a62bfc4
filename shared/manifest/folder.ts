import { lstat, open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { leftOut } from '../job/bundle.ts';
import { nearest } from '../nearest.ts';
import { manifestLimitBytes } from './encoding.ts';
import type { Problem } from './problem.ts';

/** What a job's folder holds. */
export interface Folder {
  /** Relative paths of regular files, with forward slashes; what is never packed is left out. */
  files: string[];
  bytes: number;
  /** The first bytes of job.yaml, one more than it may have; undefined when there is none to read. */
  manifest?: Uint8Array;
  pyproject?: string;
  problems: Problem[];
}

export const folderLimitBytes = 50_000_000;
const fileLimit = 20_000;
/** Reads one job's folder under `root`. Never throws; `shown` is how problems call the folder. */
export async function readFolder(root: string, name: string, shown: string): Promise<Folder> {
  const path = join(root, name);
  const empty: Folder = { files: [], bytes: 0, problems: [] };
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
    const { files, bytes, largest } = await measure(path);
    const problems = 'code' in found ? [found] : [];
    if (bytes > folderLimitBytes || files.length > fileLimit) {
      const size = bytes > folderLimitBytes ? '50 MB' : `${fileLimit} files`;
      const message = `holds more than ${size}; expected code and small files`;
      const hint = `the largest is ${largest}: fetch data when the job runs, and keep virtual environments elsewhere`;
      problems.push({ file: shown, code: 'too-large', message, hint });
    }
    const folder: Folder = { files, bytes, problems, ...('bytes' in found && { manifest: found.bytes }) };
    if (files.includes('pyproject.toml')) folder.pyproject = await readFile(join(path, 'pyproject.toml'), 'utf8');
    return folder;
  } catch (error) {
    return { ...empty, problems: [unreadable(shown, error)] };
  }
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
    const handle = await open(path);
    try {
      const buffer = Buffer.alloc(manifestLimitBytes + 1);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      return { bytes: buffer.subarray(0, bytesRead) };
    } finally {
      await handle.close();
    }
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

/** Regular files below a folder; stops soon after a limit is passed. */
async function measure(root: string): Promise<{ files: string[]; bytes: number; largest: string }> {
  const files: string[] = [];
  let [bytes, most, largest] = [0, -1, ''];
  const folders = [''];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (leftOut.has(entry.name) || entry.name.endsWith('.pyc')) continue;
      if (entry.isDirectory()) folders.push(path);
      if (!entry.isFile()) continue;
      files.push(path);
      const { size } = await lstat(join(root, path));
      bytes += size;
      if (size > most) [most, largest] = [size, path];
      if (bytes > folderLimitBytes || files.length > fileLimit) return { files, bytes, largest };
    }
  }
  return { files: files.sort(), bytes, largest };
}
