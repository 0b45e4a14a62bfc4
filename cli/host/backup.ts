import { chmodSync } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../shared/store/embedded/database.ts';
import { readPart } from '../../shared/store/embedded/files.ts';
import { databaseFile } from '../../shared/store/embedded/store.ts';
import type { Home } from '../home.ts';
import { Refusal } from '../refusal.ts';
import { anyHost } from './lock.ts';
import { hasStore } from './store.ts';

/** What lies beside the rows, and belongs to a backup. */
const folders = ['attempts', 'bundles'];
/** Outputs are at most 100 MiB; a value of SQLite holds 1,000,000,000 bytes at most. */
const mostBytes = 900 << 20;

export interface Kept {
  runs: number;
  files: number;
  bytes: number;
}

/**
 * Writes all of the folder's store into one file, a database itself, while hosts go on. Rows are those of one instant.
 * Files may be a moment younger, as if their attempts had ended just before a host died: it looks, and goes on.
 */
export async function backup(home: Home, target: string): Promise<Kept> {
  const file = resolve(target);
  if (!hasStore(home)) throw new Refusal(`There is no store in ${home.state}: a host makes it (npm start).`);
  if (await stat(file).catch(() => undefined)) throw new Refusal(`${file} is there already: name another file.`);
  const draft = `${file}.${process.pid}`;
  try {
    const source = openDatabase(databaseFile(home.state));
    try {
      // One read of one instant; writers go on meanwhile.
      source.statement('VACUUM INTO ?').run(draft);
    } finally {
      source.close();
    }
    chmodSync(draft, 0o600);
    const kept = await addFiles(draft, home.state);
    await synced(draft);
    await rename(draft, file);
    return kept;
  } finally {
    await rm(draft, { force: true });
  }
}

async function addFiles(draft: string, state: string): Promise<Kept> {
  using db = new DatabaseSync(draft);
  db.exec('PRAGMA synchronous=off');
  db.exec('CREATE TABLE files (path TEXT PRIMARY KEY, at INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT');
  const insert = db.prepare('INSERT INTO files (path, at, bytes) VALUES (?, ?, ?)');
  const kept = { runs: countOf(db), files: 0, bytes: 0 };
  for (const folder of folders) {
    for await (const path of filesBelow(join(state, folder))) {
      const bytes = await readPart(path, mostBytes);
      const found = await stat(path).catch(() => undefined);
      // Gone meanwhile, or put there by a job as something else.
      if (!bytes || !found) continue;
      insert.run(relative(state, path), Math.round(found.mtimeMs), bytes);
      kept.files += 1;
      kept.bytes += bytes.length;
    }
  }
  return kept;
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

/**
 * Puts a backup in the place of the folder's store. What was there is kept aside.
 * @returns how much came back, and where the former store lies
 */
export async function restore(home: Home, source: string): Promise<Kept & { aside: string | null }> {
  const file = resolve(source);
  if (await anyHost(home.state)) {
    throw new Refusal(`A host works in ${home.root}: end it first (Ctrl-C there), then restore.`);
  }
  const fresh = join(home.state, `restored.${process.pid}`);
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  try {
    await copyFile(file, join(fresh, 'lamplighter.db')).catch((error: NodeJS.ErrnoException) => {
      throw new Refusal(`${file} cannot be read (${error.code}): name a file that lamp backup has written.`);
    });
    const kept = await unpack(file, fresh);
    const aside = await putAside(home.state);
    for (const name of await readdir(fresh)) await rename(join(fresh, name), join(home.state, name));
    return { ...kept, aside };
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function unpack(file: string, fresh: string): Promise<Kept> {
  const database = databaseFile(fresh);
  const kept = { runs: 0, files: 0, bytes: 0 };
  try {
    using db = new DatabaseSync(database);
    const [sound] = Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {});
    if (sound !== 'ok') throw new Error(String(sound));
    for (const row of db.prepare('SELECT path, at, bytes FROM files').iterate()) {
      const path = String(row.path);
      if (!/^(attempts|bundles)\//.test(path) || path.split('/').includes('..')) throw new Error(`it holds ${path}`);
      const target = join(fresh, path);
      const bytes = row.bytes as Uint8Array;
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await writeFile(target, bytes, { mode: 0o600, flag: 'wx' });
      await utimes(target, new Date(Number(row.at)), new Date(Number(row.at)));
      kept.files += 1;
      kept.bytes += bytes.length;
    }
    kept.runs = countOf(db);
    db.exec('DROP TABLE files; VACUUM');
  } catch (error) {
    throw new Refusal(`${file} is no sound backup (${(error as Error).message}): take another one.`);
  }
  await synced(database);
  // Refuses one that a newer Lamplighter has made, before anything is replaced.
  openDatabase(database).close();
  return kept;
}

/** @returns where it lies now; null: there was none */
async function putAside(state: string): Promise<string | null> {
  const aside = join(state, `before-restore-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`);
  let found = false;
  for (const name of ['lamplighter.db', 'lamplighter.db-wal', 'lamplighter.db-shm', ...folders]) {
    if (!(await stat(join(state, name)).catch(() => undefined))) continue;
    if (!found) await mkdir(aside, { mode: 0o700 });
    found = true;
    await rename(join(state, name), join(aside, name));
  }
  return found ? aside : null;
}

function countOf(db: DatabaseSync): number {
  return Number(Object.values(db.prepare('SELECT count(*) FROM runs').get() ?? {})[0]);
}

async function synced(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.sync().finally(() => file.close());
}
