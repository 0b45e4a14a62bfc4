import { randomBytes } from 'node:crypto';
import fs, { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../shared/store/embedded/database.ts';
import { embeddedTable, tableSql } from '../../shared/store/embedded/table.ts';
import { numbers } from '../support/pipeline/random.ts';
import { freshFolder } from '../support/storage/account.ts';

interface Row {
  key: string;
  text: string;
}
const codec = {
  keys: ({ key }: Row) => ({ partitionKey: 'rows', rowKey: key }),
  encode: ({ text }: Row) => ({ text }),
  decode: (row: Record<string, unknown>) => ({ key: String(row.rowKey), text: String(row.text) }),
};
const opened = (file: string) => {
  const db = openDatabase(file);
  db.ensure(['rows'], tableSql);
  // Often, so that many of the cuts fall into a checkpoint or the beginning of a new log.
  db.statement('PRAGMA wal_autocheckpoint = 12').get();
  return { db, table: embeddedTable(db, 'rows', codec) };
};

/** What is on the disk, and which rows were acknowledged by then. */
interface Snapshot {
  db: Buffer;
  wal: Buffer;
  rows: string;
}

const texts = (rows: Iterable<Row>) =>
  [...rows]
    .map(({ key, text }) => `${key}=${text}`)
    .sort()
    .join('\n');

/** Small transactions, each acknowledged before the next begins, and the files right after each acknowledgement. */
async function written(count: number, random: () => number): Promise<Snapshot[]> {
  const file = join(freshFolder(memory), 'store.db');
  const { db, table } = opened(file);
  const rows = new Map<string, Row>();
  const snapshot = (): Snapshot => ({
    db: readFileSync(file),
    wal: readFileSync(`${file}-wal`),
    rows: texts(rows.values()),
  });
  const snapshots = [snapshot()];
  const one = (key: string): Row => ({ key, text: 'x'.repeat(random() * 900) + randomBytes(4).toString('hex') });
  for (let at = 0; at < count; at++) {
    const some = [...rows.values()];
    const known = some[Math.floor(random() * some.length)];
    const kind = random();
    if (kind < 0.4 || !known) {
      const row = one(`k${at}`);
      await table.insert(row);
      rows.set(row.key, row);
    } else if (kind < 0.6) {
      const several = [0, 1, 2, 3].map((part) => one(`k${at}-${part}`));
      await table.insertAll(several);
      for (const row of several) rows.set(row.key, row);
    } else if (kind < 0.8) {
      const row = one(known.key);
      const found = await table.get('rows', known.key);
      await table.replace(row, found?.etag ?? '');
      rows.set(row.key, row);
    } else {
      await table.remove('rows', known.key);
      rows.delete(known.key);
    }
    snapshots.push(snapshot());
  }
  db.close();
  return snapshots;
}

const sector = 512;
/** Where a sync costs nothing: what would be on a disk is said by the test. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : undefined;

/** Some of the sectors that were written and not yet synced have reached the disk, in any order. */
function torn(before: Buffer, after: Buffer, random: () => number): Buffer {
  const share = random();
  const disk = Buffer.alloc(Math.max(before.length, after.length));
  before.copy(disk);
  let end = before.length;
  for (let at = 0; at < after.length; at += sector) {
    const fresh = after.subarray(at, at + sector);
    if (fresh.equals(before.subarray(at, at + sector)) || random() >= share) continue;
    fresh.copy(disk, at);
    end = Math.max(end, at + fresh.length);
  }
  return disk.subarray(0, end);
}

/**
 * One state of the disk between two acknowledgements that SQLite's order of syncs allows: it syncs the head of a new
 * log before it writes into it, and the whole log before a checkpoint writes to the database (sqlite.org/wal.html).
 */
function cut(before: Snapshot, after: Snapshot, random: () => number): Pick<Snapshot, 'db' | 'wal'> {
  const head = 32;
  const checkpointed = !before.db.equals(after.db);
  if (checkpointed && random() < 0.5) return { wal: after.wal, db: torn(before.db, after.db, random) };
  const fresh = !before.wal.subarray(0, head).equals(after.wal.subarray(0, head));
  const base = fresh ? Buffer.concat([after.wal.subarray(0, head), before.wal.subarray(head)]) : before.wal;
  return { db: before.db, wal: torn(base, after.wal, random) };
}

/** The rows after the machine came up again. @throws when the database is damaged */
async function recovered({ db: database, wal }: Pick<Snapshot, 'db' | 'wal'>, folder: string): Promise<string> {
  const file = join(folder, 'store.db');
  writeFileSync(file, database);
  writeFileSync(`${file}-wal`, wal);
  const { db, table } = opened(file);
  try {
    expect(db.statement('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    const rows: Row[] = [];
    for await (const { value } of table.list('rows')) rows.push(value);
    return texts(rows);
  } finally {
    db.close();
  }
}

test('after each of 1,200 power cuts the store is whole, and nothing that was acknowledged is lost', async () => {
  const random = numbers(20261128);
  const snapshots = await written(300, random);
  const folder = freshFolder(memory);
  let cuts = 0;
  let undone = 0;
  let checkpoints = 0;
  for (const [at, before] of snapshots.entries()) {
    const after = snapshots[at + 1];
    if (!after) break;
    if (!before.db.equals(after.db)) checkpoints += 1;
    for (let again = 0; again < 4; again++) {
      const rows = await recovered(cut(before, after, random), folder);
      // The one that was under way may be there or not, as a whole.
      expect([before.rows, after.rows]).toContain(rows);
      if (rows === before.rows) undone += 1;
      cuts += 1;
    }
    expect(await recovered(after, folder)).toBe(after.rows);
  }
  expect(cuts).toBe(1_200);
  expect(checkpoints).toBeGreaterThan(20);
  expect(undone).toBeGreaterThan(100);
  expect(undone).toBeLessThan(1_100);
});

test('a store that acknowledged before its sync would not pass', async () => {
  const random = numbers(7);
  const snapshots = await written(60, random);
  const folder = freshFolder(memory);
  let lost = 0;
  for (const [at, before] of snapshots.entries()) {
    const [acknowledged, after] = [snapshots[at + 1], snapshots[at + 2]];
    if (!acknowledged || !after || !before.db.equals(after.db)) continue;
    const rows = await recovered(cut(before, after, random), folder);
    if (rows !== acknowledged.rows && rows !== after.rows) lost += 1;
  }
  expect(lost).toBeGreaterThan(5);
});

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

function open(): { db: Database; table: ReturnType<typeof opened>['table']; file: string } {
  const file = join(freshFolder(), 'store.db');
  return { ...opened(file), file };
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
