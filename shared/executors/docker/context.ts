import { chmod, copyFile, mkdir, readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** A file that the image is made of. */
export interface ContextFile {
  /** In the image's build context, with forward slashes. */
  name: string;
  path: string;
  mode: number;
}

/**
 * What the image that jobs run in is made of, wherever it is built: the Dockerfile and the Python files of `runtime`
 * (`infra/runtime`), and a uv binary for Linux where one is given. By name.
 */
export async function imageContext(runtime: string, uv?: string): Promise<ContextFile[]> {
  const entries = await readdir(runtime, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && (entry.name === 'Dockerfile' || entry.name.endsWith('.py')))
    .map((entry) => relative(runtime, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  const files = names.sort().map((name) => ({ name, path: join(runtime, name), mode: 0o644 }));
  return uv === undefined ? files : [...files, { name: 'uv', path: uv, mode: 0o755 }];
}

/** Copies the files below `folder`, readable for all: a checkout under umask 077 would make an image its user cannot read. */
export async function layOut(files: ContextFile[], folder: string): Promise<void> {
  for (const { name, path, mode } of files) {
    const target = join(folder, name);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await copyFile(path, target);
    await chmod(target, mode);
  }
}
