import type { Dirent } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** A file of a job, as it is packed. */
export interface JobFile {
  /** Relative, with forward slashes, under its own name or that of the link to it. */
  path: string;
  /** Where its bytes are read: the file itself, never a link. */
  source: string;
  bytes: number;
  executable: boolean;
}

/** What cannot be packed, and why. */
export interface OddFile {
  path: string;
  fault:
    | 'outside' // a link that leaves the jobs folder
    | 'dangling' // a link to nothing, or in a circle
    | 'left-out' // a link to what is never packed
    | 'unreadable'
    | 'name' // no bundle can hold it
    | 'special' // a pipe, socket or device
    | 'repository'; // git would run what its config says
  /** Where a link leads, or what the system said. */
  detail?: string;
}

export interface JobFiles {
  /** Sorted by code unit. */
  files: JobFile[];
  odd: OddFile[];
}

export interface FileLimits {
  bytes: number;
  files: number;
}

/** As many files are looked at in one go. */
const together = 64;

/** Never part of a job: what tools leave behind. */
export const leftOut: ReadonlySet<string> = new Set([
  '__pycache__',
  'node_modules',
  '.git',
  '.venv',
  'venv',
  '.DS_Store',
  '.pytest_cache',
  '.env',
]);

function isLeftOut(name: string): boolean {
  // Editors keep their locks as links that begin with .# and lead nowhere.
  return leftOut.has(name) || name.endsWith('.pyc') || name.startsWith('.#');
}

/**
 * Every file of a job's folder. Links inside the jobs folder, `root`, count as what they lead to. Stops soon after a
 * limit is passed. @throws what the file system says when the folder itself cannot be read
 */
export async function jobFiles(root: string, folder: string, limits?: FileLimits): Promise<JobFiles> {
  const found: JobFiles = { files: [], odd: [] };
  const home = await realpath(root);
  let bytes = 0;

  /** @param above real folders that this one is in, so that links in a circle end */
  async function walk(real: string, path: string, above: readonly string[]): Promise<void> {
    const entries = await readdir(real, { encoding: 'buffer', withFileTypes: true });
    if (isRepository(entries.map((entry) => String(entry.name))))
      found.odd.push({ path: path || '.', fault: 'repository' });
    for (let at = 0; at < entries.length; at += together) {
      await Promise.all(entries.slice(at, at + together).map((entry) => look(entry, real, path, above)));
      if (limits && (bytes > limits.bytes || found.files.length > limits.files)) return;
    }
  }

  async function look(entry: Dirent<Buffer>, real: string, folder: string, above: readonly string[]): Promise<void> {
    const name = entry.name.toString();
    const path = folder ? `${folder}/${name}` : name;
    if (isLeftOut(name)) return;
    if (!Buffer.from(name).equals(entry.name)) found.odd.push({ path, fault: 'name', detail: 'is not UTF-8' });
    else if (name.includes('\\')) found.odd.push({ path, fault: 'name', detail: 'holds a backslash' });
    else if (entry.isSymbolicLink()) await follow(join(real, name), path, above);
    else await visit(join(real, name), path, above);
  }

  /** A link counts as what it leads to, as long as that is inside and part of some job. */
  async function follow(link: string, path: string, above: readonly string[]): Promise<void> {
    let real: string;
    try {
      real = await realpath(link);
    } catch (error) {
      const detail = (error as NodeJS.ErrnoException).code ?? String(error);
      const fault = detail === 'EACCES' || detail === 'EPERM' ? 'unreadable' : 'dangling';
      found.odd.push({ path, fault, detail });
      return;
    }
    const inner = relative(home, real);
    if (inner === '' || inner === '..' || inner.startsWith(`..${sep}`))
      found.odd.push({ path, fault: 'outside', detail: real });
    else if (inner.split(sep).some(isLeftOut)) found.odd.push({ path, fault: 'left-out', detail: inner });
    else await visit(real, path, above);
  }

  async function visit(real: string, path: string, above: readonly string[]): Promise<void> {
    try {
      const facts = await stat(real);
      if (facts.isDirectory()) {
        if (above.includes(real)) found.odd.push({ path, fault: 'dangling', detail: 'ELOOP' });
        else await walk(real, path, [...above, real]);
        return;
      }
      if (!facts.isFile()) return void found.odd.push({ path, fault: 'special' });
      await (await open(real)).close();
      bytes += facts.size;
      found.files.push({ path, source: real, bytes: facts.size, executable: (facts.mode & 0o100) !== 0 });
    } catch (error) {
      const detail = (error as NodeJS.ErrnoException).code ?? String(error);
      found.odd.push({ path, fault: 'unreadable', detail });
    }
  }

  const start = await realpath(folder);
  await walk(start, '', [start]);
  const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
  found.files.sort(byPath);
  found.odd.sort(byPath);
  return found;
}

/** A folder that git takes for a bare repository, whose config may name programs to run. */
export function isRepository(names: readonly string[]): boolean {
  const lower = names.map((name) => name.toLowerCase());
  return ['head', 'objects', 'refs'].every((name) => lower.includes(name));
}
