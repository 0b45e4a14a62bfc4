import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isName } from '../files.ts';

/** Files that a power cut cannot halve, for this user alone. */

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_WRONLY } = constants;

/** Creates a file whole, or not at all. False: it is there already. */
export async function createFile(path: string, body: string | Buffer): Promise<boolean> {
  return written(path, body, async (draft) => {
    try {
      await link(draft, path);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
  });
}

/** Writes a file over what is there: readers see the old one or the new one. */
export async function putFile(path: string, body: string | Buffer): Promise<void> {
  await written(path, body, (draft) => rename(draft, path));
}

async function written<T>(path: string, body: string | Buffer, place: (draft: string) => Promise<T>): Promise<T> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(body);
    await file.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  const placed = await place(draft);
  await syncFolder(folder);
  return placed;
}

/** After this a power cut does not forget the names of its files. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Reads from a regular file that a job may have written to: no link is followed and no pipe waited for, and never more
 * than `most` bytes. Undefined: it is not there.
 */
export async function readPart(path: string, most: number, offset: number | 'tail' = 0): Promise<Buffer | undefined> {
  const file = await openRegular(path);
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const from = offset === 'tail' ? Math.max(size - most, 0) : offset;
    const bytes = Buffer.alloc(Math.max(Math.min(size - from, most), 0));
    const { bytesRead } = bytes.length > 0 ? await file.read(bytes, 0, bytes.length, from) : { bytesRead: 0 };
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** When it was last written, ms since 1970, and its size. Undefined: it is not there. */
export async function lookAt(path: string): Promise<{ at: number; size: number } | undefined> {
  const file = await openRegular(path);
  if (!file) return undefined;
  try {
    const { mtimeMs, size } = await file.stat();
    return { at: Math.round(mtimeMs), size };
  } finally {
    await file.close();
  }
}

/** Undefined: there is no such file. What is none, as a job has put something else there, counts as not there. */
export async function openRegular(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EISDIR'].includes(codeOf(error))) return undefined;
    throw error;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

/** A path below a folder, of parts that lead nowhere else. @throws RangeError */
export function below(folder: string, ...parts: string[]): string {
  for (const part of parts) {
    if (!isName(part)) throw new RangeError(`"${part}" is no name of a file`);
  }
  return join(folder, ...parts);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
