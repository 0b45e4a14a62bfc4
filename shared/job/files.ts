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
    const names = await readdir(real, { encoding: 'buffer' });
    if (isRepository(names.map(String))) found.odd.push({ path: path || '.', fault: 'repository' });
    for (const bytesOfName of names.sort(Buffer.compare)) {
      const name = bytesOfName.toString();
      const here = path ? `${path}/${name}` : name;
      if (isLeftOut(name)) continue;
      if (!Buffer.from(name).equals(bytesOfName)) found.odd.push({ path: here, fault: 'name', detail: 'is not UTF-8' });
      else if (name.includes('\\')) found.odd.push({ path: here, fault: 'name', detail: 'holds a backslash' });
      else await visit(join(real, name), here, above);
      if (limits && (bytes > limits.bytes || found.files.length > limits.files)) return;
    }
  }

  async function visit(place: string, path: string, above: readonly string[]): Promise<void> {
    const real = await realpath(place).catch((error: NodeJS.ErrnoException) => error.code ?? String(error));
    if (!real.startsWith(sep) && !/^[A-Za-z]:/.test(real)) {
      const fault = real === 'EACCES' || real === 'EPERM' ? 'unreadable' : 'dangling';
      found.odd.push({ path, fault, detail: real });
      return;
    }
    const inner = relative(home, real);
    if (inner.startsWith('..')) return void found.odd.push({ path, fault: 'outside', detail: real });
    if (inner.split(sep).some(isLeftOut)) return void found.odd.push({ path, fault: 'left-out', detail: inner });
    const facts = await stat(real);
    if (!facts.isFile() && !facts.isDirectory()) return void found.odd.push({ path, fault: 'special' });
    try {
      if (facts.isDirectory()) {
        if (above.includes(real)) found.odd.push({ path, fault: 'dangling', detail: 'ELOOP' });
        else await walk(real, path, [...above, real]);
        return;
      }
      await (await open(real)).close();
    } catch (error) {
      const detail = (error as NodeJS.ErrnoException).code ?? String(error);
      return void found.odd.push({ path, fault: 'unreadable', detail });
    }
    bytes += facts.size;
    found.files.push({ path, source: real, bytes: facts.size, executable: (facts.mode & 0o100) !== 0 });
  }

  const start = await realpath(folder);
  await walk(start, '', [start]);
  found.files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return found;
}

/** A folder that git takes for a bare repository, whose config may name programs to run. */
export function isRepository(names: readonly string[]): boolean {
  const lower = names.map((name) => name.toLowerCase());
  return ['head', 'objects', 'refs'].every((name) => lower.includes(name));
}
