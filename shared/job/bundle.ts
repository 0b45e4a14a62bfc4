import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { jobFiles } from './files.ts';

/** A job's code as one content-addressed zip: the same files give the same digest on any machine. */
export interface Bundle {
  /** SHA-256 of the zip, hex. */
  digest: string;
  /** SHA-256 of uv.lock, hex; null: the job has none. */
  lock: string | null;
  zip: Buffer;
}

/**
 * Packs a job folder. Names are sorted, times fixed, modes reduced to executable or not, and nothing is compressed,
 * since the bytes of a compressor change with its version. A link counts as what it leads to.
 * @throws Error naming a file that cannot be packed; `lamp check` reports all of them
 */
export async function pack(folder: string): Promise<Bundle> {
  const zip = new ZipFile();
  let lock: string | null = null;
  // In local time, because that is how zip headers store it: always 1980-01-01 00:00.
  const mtime = new Date(1980, 0, 1);
  const { files, odd } = await jobFiles(dirname(folder), folder);
  const [first] = odd;
  if (first) throw new Error(`${first.path} cannot be packed (${first.fault}): run lamp check`);
  for (const { path, source, executable } of files) {
    const content = await readFile(source);
    if (path === 'uv.lock') lock = sha256(content);
    zip.addBuffer(content, standIn(path), {
      mtime,
      mode: executable ? 0o100755 : 0o100644,
      compress: false,
      forceDosTimestamp: true,
    });
  }
  zip.end();
  const bytes = await buffer(zip.outputStream);
  rename(
    bytes,
    files.map(({ path }) => path),
  );
  return { digest: sha256(bytes), lock, zip: bytes };
}

/** yazl takes `C:out.csv` for a Windows drive; where jobs run it is a file's name like any other. */
function standIn(path: string): string {
  return path.replace(/^[A-Za-z]:/, '_:');
}

/** Writes the true names over their stand-ins, in both headers of each file. @param paths in the zip's order */
function rename(zip: Buffer, paths: readonly string[]): void {
  // Fields of the format (PKWARE APPNOTE 4.3): the end record is the last 22 bytes, as there is no comment.
  let at = zip.readUInt32LE(zip.length - 6);
  for (const path of paths) {
    if (standIn(path) !== path) {
      zip.write(path, at + 46);
      zip.write(path, zip.readUInt32LE(at + 42) + 30);
    }
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
