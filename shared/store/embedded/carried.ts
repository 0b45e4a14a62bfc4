import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Files, partsOf } from '../files.ts';
import { below, openRegular } from './files.ts';
import { storeTrouble } from './trouble.ts';

/** Files below a folder. What a job has put there is read with care: no link is followed. */
export function carriedFolder(folder: string): Files {
  const pathOf = (path: string) => below(folder, ...partsOf(path));
  return {
    async *list(prefix) {
      const parts = prefix.split('/').filter((part) => part !== '');
      for await (const path of filesBelow(below(folder, ...parts))) yield [...parts, path].join('/');
    },
    async read(path) {
      const place = pathOf(path);
      if (!(await areFolders(folder, path))) return undefined;
      const file = await openRegular(place);
      if (!file) return undefined;
      const { size: bytes, mtimeMs } = await file.stat();
      const at = Math.round(mtimeMs);
      // What is added meanwhile is not read: the size stands already where this goes.
      const stream = file.createReadStream({ start: 0, end: Math.max(bytes - 1, 0) });
      return { bytes, at, stream };
    },
    async create(path, { at, stream }) {
      const place = pathOf(path);
      const draft = `${place}.${randomBytes(6).toString('hex')}`;
      try {
        await makeParents(folder, path);
        const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
        const file = await open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
        try {
          await file.writeFile(stream);
          await file.utimes(new Date(at), new Date(at));
          await file.sync();
        } finally {
          await file.close();
        }
        await link(draft, place);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw storeTrouble(folder, error);
      } finally {
        await rm(draft, { force: true });
      }
    },
  };
}

/** The folders above a file, from the outermost below that of the store. */
function parentsOf(folder: string, path: string): string[] {
  const parts = partsOf(path).slice(0, -1);
  return parts.map((_, at) => below(folder, ...parts.slice(0, at + 1)));
}

/** Whether all of those are folders: none is a link, which a job may have made. */
async function areFolders(folder: string, path: string): Promise<boolean> {
  for (const one of parentsOf(folder, path)) {
    const found = await lstat(one).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
    if (!found?.isDirectory()) return false;
  }
  return true;
}

/** One by one: a way through a link would lead out of the store. @throws Error: one of them is a link or a file */
async function makeParents(folder: string, path: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const one of parentsOf(folder, path)) {
    await mkdir(one, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if (!(await lstat(one)).isDirectory()) {
      throw new Error(`${one} is a link or no folder: remove it, then import again`);
    }
  }
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  for (const entry of entries) {
    if (entry.isFile()) yield entry.name;
    else if (entry.isDirectory())
      for await (const path of filesBelow(join(folder, entry.name))) yield `${entry.name}/${path}`;
  }
}
