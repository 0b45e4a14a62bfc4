import { watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from '../../shared/job/catalog.ts';
import { leftOut } from '../../shared/job/files.ts';
import { brokenJobs, type ReadFolder } from './folder.ts';

/** Editors write in several steps: things have to be quiet for this long, ms. */
const quiet = 300;
/** Not every file system reports changes, and no watcher of Node's reports all. */
const lookEvery = 5_000;

/** Calls `changed`, one call at a time, once things in the folder have changed and been quiet for a moment. */
export function watchFolder(
  folder: string,
  changed: () => Promise<void>,
  trouble: (error: unknown) => void,
): { close(): Promise<void> } {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let working = signature(folder).catch(() => '');
  const look = () => {
    working = working.then(async (before) => {
      if (closed) return before;
      try {
        const now = await signature(folder);
        if (now !== before) await changed();
        return now;
      } catch (error) {
        trouble(error);
        return before;
      }
    });
  };
  const watcher = watch(folder, { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(look, quiet);
  });
  // A folder that goes while it is looked at.
  watcher.on('error', () => {});
  const interval = setInterval(look, lookEvery);
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(interval);
      watcher.close();
      await working;
    },
  };
}

/** Differs when a file of a job has come, gone or changed. What cannot be read is the problem of its own job. */
export async function signature(folder: string): Promise<string> {
  const seen: string[] = [];
  const folders = [folder];
  for (let here = folders.pop(); here !== undefined; here = folders.pop()) {
    const entries = await readdir(here, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (here === folder) throw error;
      seen.push(`${here} ${error.code}`);
      return [];
    });
    for (const entry of entries.filter(({ name }) => !leftOut.has(name))) {
      const path = join(here, entry.name);
      if (entry.isDirectory()) folders.push(path);
      const found = await stat(path).catch(() => undefined);
      seen.push(found?.isFile() ? `${path} ${found.mtimeMs} ${found.size} ${found.mode}` : `${path} ${found?.mode}`);
    }
  }
  return seen.sort().join('\n');
}

/** What runs after a change: a job that has just been broken goes on as it was; one whose folder is gone ends. */
export function afterChange(folder: string, before: Catalog, read: ReadFolder): { catalog: Catalog; kept: string[] } {
  const broken = brokenJobs(folder, read.problems);
  const kept = [...before].filter(([name]) => broken.has(name) && !read.catalog.has(name));
  const catalog = new Map([...read.catalog, ...kept]);
  const from = read.catalog.package;
  return { catalog: from ? Object.assign(catalog, { package: from }) : catalog, kept: kept.map(([name]) => name) };
}
