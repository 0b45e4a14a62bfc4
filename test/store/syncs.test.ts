import fs, { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../shared/store/embedded/database.ts';
import { tableSql } from '../../shared/store/embedded/table.ts';
import { freshFolder } from '../support/storage/account.ts';
import { openRows } from '../support/storage/rows.ts';

const { fdatasync } = fs;
afterEach(() => {
  fs.fdatasync = fdatasync;
  syncBuiltinESMExports();
});

/** Syncs wait for the test from here on. */
function heldSyncs() {
  const held: ((error: NodeJS.ErrnoException | null) => void)[] = [];
  fs.fdatasync = ((_: number, done: (error: NodeJS.ErrnoException | null) => void) => {
    held.push(done);
  }) as typeof fdatasync;
  syncBuiltinESMExports();
  return held;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function open(): { db: Database; table: ReturnType<typeof openRows>['table']; file: string } {
  const file = join(freshFolder(), 'store.db');
  return { ...openRows(file), file };
}

test('a write is acknowledged by a sync that began after it, which others that wait share', async () => {
  const { db, table } = open();
  const held = heldSyncs();
  const done: string[] = [];
  const insert = (key: string) => table.insert({ key, text: '' }).then(() => done.push(key));
  const writes = [insert('a'), insert('b')];
  await turn();
  expect([held.length, done]).toEqual([1, []]);
  writes.push(insert('c'));
  await turn();
  held[0]?.(null);
  await turn();
  // The one that came while the disk was busy waits for the next.
  expect([held.length, done]).toEqual([2, ['a', 'b']]);
  held[1]?.(null);
  await Promise.all(writes);
  expect(done).toEqual(['a', 'b', 'c']);
  db.close();
});

test('a sync that failed is an outage, and what it may have lost is written anew before the next', async () => {
  const { db, table, file } = open();
  const held = heldSyncs();
  const broken = table.insert({ key: 'a', text: '' });
  await turn();
  held[0]?.(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' }));
  await expect(broken).rejects.toMatchObject({ name: 'StoreTrouble', kind: 'other' });
  const next = table.insert({ key: 'b', text: '' });
  await turn();
  // By a checkpoint, which syncs the database itself: without its log the row is there.
  const copy = join(freshFolder(), 'copy.db');
  copyFileSync(file, copy);
  using alone = new DatabaseSync(copy);
  expect(alone.prepare('SELECT row FROM rows ORDER BY row').all()).toEqual([{ row: 'a' }, { row: 'b' }]);
  held[1]?.(null);
  await next;
  db.close();
});

test('what cannot be written anew yet, as another process reads, is not acknowledged', async () => {
  const { db, table, file } = open();
  await table.insert({ key: 'first', text: '' });
  using reader = new DatabaseSync(file);
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM rows').get();
  const held = heldSyncs();
  const broken = table.insert({ key: 'a', text: '' });
  await turn();
  held[0]?.(Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fdatasync' }));
  await expect(broken).rejects.toMatchObject({ kind: 'other' });
  await expect(table.insert({ key: 'b', text: '' })).rejects.toMatchObject({ kind: 'busy' });
  expect(held).toHaveLength(1);
  reader.exec('COMMIT');
  const next = table.insert({ key: 'c', text: '' });
  await turn();
  held[1]?.(null);
  expect(await next).toBeDefined();
  db.close();
});

test('a full disk is an outage that says so, reading goes on, and so does writing once there is room', async () => {
  const { db, table } = open();
  await table.insert({ key: 'before', text: '' });
  const pages = Number(Object.values(db.statement('PRAGMA page_count').get() ?? {})[0]);
  db.statement(`PRAGMA max_page_count = ${pages}`).get();
  const large = () => table.insert({ key: 'large', text: 'x'.repeat(30_000) });
  await expect(large()).rejects.toMatchObject({ kind: 'full', message: expect.stringContaining('make room') });
  expect(await table.get('rows', 'before')).toBeDefined();
  db.statement('PRAGMA max_page_count = 100000').get();
  expect(await large()).toBeDefined();
  expect(db.statement('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  db.close();
});

test('the files are for this user alone', () => {
  const folder = join(freshFolder(), 'deep', 'state');
  const db = openDatabase(join(folder, 'store.db'));
  db.ensure(['rows'], tableSql);
  expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of ['store.db', 'store.db-wal', 'store.db-shm'])
    expect(fs.statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  db.close();
});

test('a newer store, a file of another program and a damaged one are refused, each with what to do', async () => {
  const { db, table, file } = open();
  for (let at = 0; at < 50; at++) await table.insert({ key: `${at}`, text: 'x'.repeat(500) });
  db.close();
  expect(existsSync(`${file}-wal`)).toBe(false);
  const folder = freshFolder();
  mkdirSync(folder, { recursive: true });
  const newer = join(folder, 'newer.db');
  copyFileSync(file, newer);
  {
    using raw = new DatabaseSync(newer);
    raw.exec('PRAGMA user_version = 99');
  }
  expect(() => openDatabase(newer)).toThrow(/version 99, and this Lamplighter knows \d+: start the newer Lamplighter/);
  const foreign = join(folder, 'foreign.db');
  {
    using raw = new DatabaseSync(foreign);
    raw.exec('CREATE TABLE others (x)');
  }
  expect(() => openDatabase(foreign)).toThrow('not a store of Lamplighter');
  const text = join(folder, 'text.db');
  writeFileSync(text, 'this is no database at all, and longer than the head of one. '.repeat(20));
  expect(() => openDatabase(text)).toThrow(/is damaged: stop the host, then restore a backup with lamp restore/);
});
