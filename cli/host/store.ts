import { existsSync } from 'node:fs';
import { databaseFile } from '../../shared/store/embedded/store.ts';
import type { Store } from '../../shared/store/store.ts';
import type { Home } from '../home.ts';

/** A store as a host or a command of this machine has it open. */
export interface OpenStore {
  store: Store;
  /** Of the storage account where it is one; null: the folder's own store. */
  connection: string | null;
  close(): void;
}

/** Whether there is one in this folder: a host makes it. */
export const hasStore = ({ state }: Pick<Home, 'state'>) => existsSync(databaseFile(state));

/** The folder's own: made where there is none. @throws StoreTrouble, SchemaTooNew */
export async function openFolder({ state }: Pick<Home, 'state'>): Promise<OpenStore> {
  const { openEmbedded } = await import('../../shared/store/embedded/store.ts');
  const store = openEmbedded(state);
  return { store, connection: null, close: store.close };
}

/** A storage account, which several machines may share. Its clients load here only. */
export async function openConnection(connection: string): Promise<OpenStore> {
  const { openStore } = await import('../../shared/store/azure/store.ts');
  return { store: openStore(connection), connection, close() {} };
}
