import { mkdir, rename, rm, utimes } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { openAccount, type Services } from '../../shared/clients/storage.ts';
import { below } from '../../shared/store/embedded/files.ts';
import { databaseFile, type EmbeddedStore, openEmbedded } from '../../shared/store/embedded/store.ts';
import type { Codec } from '../../shared/store/table.ts';
import type { Home } from '../home.ts';
import { Refusal } from '../refusal.ts';
import { startStore } from './azurite.ts';
import { hasAzurite } from './store.ts';

/** How much of each kind was moved. */
export interface Moved {
  rows: number;
  runs: number;
  files: number;
}

const azuriteFolder = (home: Home) => join(home.state, 'store');
const files = ['attempts', 'bundles'];

/**
 * An earlier version kept its store in Azurite. What lies there is moved into the store of this one, once; the caller
 * holds the lock of the folder. Killed in the middle it begins anew: the database comes last, and its name says that
 * all is there. The launch queue stays behind: the watch queues what waits.
 * @returns undefined: there is nothing to move
 */
export async function moveFromAzurite(home: Home, say: (line: string) => void): Promise<Moved | undefined> {
  if (!hasAzurite(home)) return undefined;
  demandAzurite(home);
  say('moving the history of an earlier version out of Azurite, once …');
  const fresh = join(home.state, 'moving');
  await rm(fresh, { recursive: true, force: true });
  const azurite = await startStore(home.state);
  let moved: Moved;
  try {
    const store = openEmbedded(fresh);
    try {
      moved = await copyAll(openAccount({ connection: azurite.connection }), store, fresh);
    } finally {
      store.close();
    }
  } finally {
    await azurite.stop();
  }
  for (const name of files) {
    await mkdir(join(fresh, name), { recursive: true, mode: 0o700 });
    await rm(join(home.state, name), { recursive: true, force: true });
    await rename(join(fresh, name), join(home.state, name));
  }
  await rename(databaseFile(fresh), databaseFile(home.state));
  await rm(fresh, { recursive: true, force: true });
  const aside = join(home.state, 'azurite-before');
  await rename(azuriteFolder(home), aside).catch(() => {});
  await rm(join(home.state, 'store.json'), { force: true });
  say(`moved ${moved.runs} runs (${moved.rows} rows) and ${moved.files} files; what they came from lies in ${aside}`);
  return moved;
}

function demandAzurite(home: Home): void {
  try {
    createRequire(import.meta.url).resolve('azurite/package.json');
  } catch {
    throw new Refusal(
      `The history in ${azuriteFolder(home)} is of an earlier version, which kept it in Azurite, and Azurite is not ` +
        'installed. To move it run: npm install --no-save azurite, and start again. To begin without it, move that folder away.',
    );
  }
}

async function copyAll(account: Services, store: EmbeddedStore, folder: string): Promise<Moved> {
  const moved: Moved = { rows: 0, runs: 0, files: 0 };
  for (const name of store.tables) {
    const count = await copyTable(account, store, name);
    moved.rows += count;
    if (name === 'runs') moved.runs = count;
  }
  moved.files += await copyBlobs(account, 'runs', join(folder, 'attempts'));
  moved.files += await copyBlobs(account, 'bundles', join(folder, 'bundles'));
  return moved;
}

type Entity = Record<string, unknown>;
/** What the service adds to a row. */
const added = new Set(['partitionKey', 'rowKey', 'etag', 'timestamp', 'odata.metadata', 'odata.etag', 'write']);

const asItIs: Codec<Entity> = {
  keys: ({ partitionKey, rowKey }) => ({ partitionKey: String(partitionKey), rowKey: String(rowKey) }),
  encode: (entity) => Object.fromEntries(Object.entries(entity).filter(([name]) => !added.has(name))),
  decode: (entity) => entity,
};

async function copyTable(account: Services, store: EmbeddedStore, name: string): Promise<number> {
  const rows = store.rows(name, asItIs);
  let count = 0;
  try {
    for await (const page of account.table(name).listEntities().byPage({ maxPageSize: 1_000 })) {
      const partitions = Map.groupBy(page as Entity[], ({ partitionKey }) => partitionKey);
      for (const some of partitions.values()) await rows.putAll(some);
      count += page.length;
    }
  } catch (error) {
    // A table that the earlier version did not have yet.
    if ((error as { statusCode?: number }).statusCode !== 404) throw error;
  }
  return count;
}

async function copyBlobs(account: Services, name: string, folder: string): Promise<number> {
  const container = account.blobs.getContainerClient(name);
  if (!(await container.exists())) return 0;
  let count = 0;
  for await (const { name: blob, properties } of container.listBlobsFlat()) {
    const path = below(folder, ...blob.split('/'));
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await container.getBlobClient(blob).downloadToFile(path);
    await utimes(path, properties.lastModified, properties.lastModified);
    count += 1;
  }
  return count;
}
