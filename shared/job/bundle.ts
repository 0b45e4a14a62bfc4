import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

/** A job's code as one content-addressed zip: the same files give the same digest on any machine. */
export interface Bundle {
  /** SHA-256 of the zip, hex. */
  digest: string;
  /** SHA-256 of uv.lock, hex; null: the job has none. */
  lock: string | null;
  zip: Buffer;
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

/**
 * Packs a job folder. Names are sorted, times fixed, modes reduced to executable or not, and nothing is compressed,
 * since the bytes of a compressor change with its version. Symlinks are left out: they could lead anywhere.
 */
export async function pack(folder: string): Promise<Bundle> {
  const zip = new ZipFile();
  let lock: string | null = null;
  // In local time, because that is how zip headers store it: always 1980-01-01 00:00.
  const mtime = new Date(1980, 0, 1);
  for (const path of await files(folder)) {
    const [content, { mode }] = await Promise.all([readFile(join(folder, path)), stat(join(folder, path))]);
    if (path === 'uv.lock') lock = sha256(content);
    const executable = (mode & 0o100) !== 0;
    zip.addBuffer(content, path, {
      mtime,
      mode: executable ? 0o100755 : 0o100644,
      compress: false,
      forceDosTimestamp: true,
    });
  }
  zip.end();
  const bytes = await buffer(zip.outputStream);
  return { digest: sha256(bytes), lock, zip: bytes };
}

/** Relative paths with forward slashes, sorted by code unit. */
async function files(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((path) => !path.split('/').some((part) => leftOut.has(part) || part.endsWith('.pyc')))
    .sort((a, b) => (a < b ? -1 : 1));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
