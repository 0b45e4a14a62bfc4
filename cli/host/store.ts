import { existsSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { databaseFile } from '../../shared/store/embedded/store.ts';
import type { KeptStore } from '../../shared/store/store.ts';
import type { Home } from '../home.ts';

/** A store as a host or a command of this machine has it open. */
export interface OpenStore {
  store: KeptStore;
  /** Called by the host that holds the folder: what a host that died was about to launch is launched at once. */
  takeOver(): Promise<void>;
  close(): void;
}

/** Whether there is one in this folder: a host makes it. */
export const hasStore = ({ state }: Pick<Home, 'state'>) => existsSync(databaseFile(state));

/** Whether an earlier version has kept its store here, in Azurite, and it was not moved yet. */
export const hasAzurite = (home: Pick<Home, 'state'>) =>
  !hasStore(home) && existsSync(join(home.state, 'store', '__azurite_db_table__.json'));

/** The folder's own: made where there is none. @throws StoreTrouble, SchemaTooNew */
export async function openFolder({ state }: Pick<Home, 'state'>): Promise<OpenStore> {
  // Logs and results of all jobs are in it, as is the key of the API.
  await chmod(state, 0o700).catch(() => {});
  const { openEmbedded } = await import('../../shared/store/embedded/store.ts');
  const store = openEmbedded(state);
  return { store, takeOver: store.takeOver, close: store.close };
}

/** A storage account, which several machines may share. Its clients load here only. */
export async function openConnection(connection: string): Promise<OpenStore> {
  const { openStore } = await import('../../shared/store/azure/store.ts');
  return { store: openStore(connection), async takeOver() {}, close() {} };
}
