import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findHome } from '../../cli/home.ts';
import { startStore } from '../../cli/host/azurite.ts';
import { backup, restore } from '../../cli/host/backup.ts';
import { damageOf } from '../../cli/host/damage.ts';
import { moveFromAzurite } from '../../cli/host/move.ts';
import { hour } from '../../shared/instant.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import { databaseFile, openEmbedded } from '../../shared/store/embedded/store.ts';
import type { Store } from '../../shared/store/store.ts';
import { seven, started } from '../support/pipeline/cast.ts';
import { create, resultOf } from '../support/pipeline/executor.ts';
import { freshFolder } from '../support/storage/account.ts';

/** A folder with jobs and nothing else. */
async function emptyHome() {
  const root = freshFolder();
  await mkdir(join(root, 'jobs'));
  return findHome(root);
}

const run: Run = started('score', { args: ['Grüße'], metrics: { rows: 1.5, mix: { a: 1 } } });
const id = { job: 'score', run: run.id, attempt: 1 };
const output = 'a b/ü.csv';

/** History of every kind, through the doors that a host and a shim use. */
async function lived(store: Store): Promise<void> {
  await store.prepare();
  await store.runs.insert(run);
  await store.recent.append([run]);
  await store.runs.insertAll(Array.from({ length: 120 }, (_, at) => newRun('past', seven - at * hour, 'schedule', 1)));
  await store.metrics.append(
    run,
    new Map<string, number | Record<string, number>>([
      ['rows', 3],
      ['mix', { a: 2 }],
    ]),
  );
  await store.marks.advance('cursor', seven, 'host');
  await store.bundles.put('abc', Buffer.from('a zip'));
  const { blobs, outputs } = await store.attempts.urls(id, [output], Date.now() + hour);
  await create(blobs.started, '{"pid":1}');
  await create(blobs.result, JSON.stringify(resultOf(id, seven, seven + 1, 'succeeded')));
  await create(outputs[0]?.url ?? '', 'x,y');
}

async function isAsLived(store: Store): Promise<void> {
  expect((await store.runs.get('score', run.id))?.value).toEqual(run);
  const past: number[] = [];
  for await (const { value } of store.runs.list('past')) past.push(value.slot);
  expect(past).toHaveLength(120);
  expect((await store.metrics.list('score', 'rows', 9)).map(({ value }) => value)).toEqual([3]);
  expect((await store.metrics.list('score', 'mix', 9)).map(({ value }) => value)).toEqual([{ a: 2 }]);
  expect(await store.marks.get('cursor')).toBe(seven);
  expect((await store.bundles.get('abc'))?.toString()).toBe('a zip');
  expect((await store.attempts.result(id))?.outcome).toBe('succeeded');
  expect(await store.attempts.begun(id)).toBeGreaterThan(0);
  const address = await store.attempts.outputUrl(id, output, Date.now() + hour);
  expect(await readFile(fileURLToPath(address), 'utf8')).toBe('x,y');
}

test('a backup made while a host writes comes back whole in another folder, and replaces nothing without keeping it', async () => {
  const home = await emptyHome();
  const store = openEmbedded(home.state);
  await lived(store);
  const file = join(freshFolder(), 'lamp.db');
  const writes = Array.from({ length: 50 }, (_, at) =>
    store.runs.insert(newRun('late', seven + at * hour, 'schedule', 1)),
  );
  const kept = await backup(home, file);
  await Promise.all(writes);
  expect(kept).toMatchObject({ files: 4 });
  expect(kept.runs).toBeGreaterThanOrEqual(121);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await expect(backup(home, file)).rejects.toThrow('is there already');

  const other = await emptyHome();
  expect(await restore(other, file)).toMatchObject({ files: 4, aside: null });
  const again = openEmbedded(other.state);
  await isAsLived(again);
  again.close();

  // Over a store that has moved on: what was there lies aside.
  await store.runs.insert(newRun('later', seven, 'schedule', 1));
  store.close();
  const { aside } = await restore(home, file);
  const before = openEmbedded(aside ?? '');
  expect(await before.runs.get('later', '20261120T070000Z')).toBeDefined();
  before.close();
  const now = openEmbedded(home.state);
  await isAsLived(now);
  expect(await now.runs.get('later', '20261120T070000Z')).toBeUndefined();
  now.close();
});

test('a damaged database is found, and a sound one is not taken for one', async () => {
  const home = await emptyHome();
  const store = openEmbedded(home.state);
  await lived(store);
  expect(await damageOf(databaseFile(home.state))).toBeUndefined();
  store.close();
  const bytes = await readFile(databaseFile(home.state));
  bytes.fill(0x5a, 3 * 4_096, 5 * 4_096);
  await writeFile(databaseFile(home.state), bytes);
  expect(await damageOf(databaseFile(home.state))).toMatch(/./);
});

test('what is no backup is refused, and the store that is there stays', async () => {
  const home = await emptyHome();
  await expect(backup(home, join(home.root, 'b.db'))).rejects.toThrow('There is no store');
  const store = openEmbedded(home.state);
  await lived(store);
  store.close();
  const file = join(home.root, 'other.db');
  await expect(restore(home, file)).rejects.toThrow(/cannot be read \(ENOENT\)/);
  await writeFile(file, 'no database');
  await expect(restore(home, file)).rejects.toThrow('is no sound backup');
  const still = openEmbedded(home.state);
  await isAsLived(still);
  still.close();
});

test('the history that an earlier version kept in Azurite is moved once, whole, and counted', async () => {
  const home = await emptyHome();
  await mkdir(home.state);
  const azurite = await startStore(home.state);
  await lived(openStore(azurite.connection));
  await azurite.stop();
  const said: string[] = [];
  const moved = await moveFromAzurite(home, (line) => said.push(line));
  expect(moved).toMatchObject({ runs: 121, files: 4 });
  expect(said.at(-1)).toMatch(
    /^moved 121 runs \(\d+ rows\) and 4 files; what they came from lies in .*azurite-before$/,
  );
  const store = openEmbedded(home.state);
  await isAsLived(store);
  store.close();
  expect(await moveFromAzurite(home, (line) => said.push(line))).toBeUndefined();
  await rm(home.state, { recursive: true });
});
