import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { numbers } from '../support/pipeline/random.ts';
import { freshFolder } from '../support/storage/account.ts';
import { openRows, type Row } from '../support/storage/rows.ts';

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
  const { db, table } = openRows(file);
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
const memory = existsSync('/dev/shm') ? mkdtempSync('/dev/shm/lamp-') : undefined;
afterAll(() => {
  if (memory) rmSync(memory, { recursive: true, force: true });
});

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
  const { db, table } = openRows(file);
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
