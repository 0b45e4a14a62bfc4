import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Files } from '../files.ts';
import { below, openRegular } from './files.ts';
import { storeTrouble } from './trouble.ts';

/** Files below a folder. What a job has put there is read with care: no link is followed. */
export function carriedFolder(folder: string): Files {
  const pathOf = (path: string) => below(folder, ...path.split('/'));
  return {
    async *list(prefix) {
      const parts = prefix.split('/').filter((part) => part !== '');
      for await (const path of filesBelow(below(folder, ...parts))) yield [...parts, path].join('/');
    },
    async read(path) {
      const file = await openRegular(pathOf(path));
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
        await mkdir(dirname(place), { recursive: true, mode: 0o700 });
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
