import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { openStore } from '../../../shared/store/azure/store.ts';
import { openEmbedded } from '../../../shared/store/embedded/store.ts';
import type { Store } from '../../../shared/store/store.ts';
import { connectionString } from './azurite.ts';
import type { IdentityAzurite } from './azurite-identity.ts';
import { memoryStore } from './memory.ts';

let byIdentity: IdentityAzurite | undefined;

/** From here on accounts are of that Azurite, and {@link storeOf} opens them by an identity. */
export function openByIdentity(azurite: IdentityAzurite): void {
  byIdentity = azurite;
}

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
let embedded = false;

/** From here on stores are embedded ones: tests of what holds in Azure alone are left out. */
export function openInFolders(): void {
  embedded = true;
}

export const inFolders = () => embedded;

let memory: Map<string, Store> | undefined;

/** From here on stores are those in memory, which most tests of the pipeline run over. */
export function openInMemory(): void {
  memory = new Map();
}

export const inMemory = () => memory !== undefined;

/** An empty folder that goes with this process. */
export function freshFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, 'lamp-store-'));
  folders.push(folder);
  return folder;
}

const folderMark = 'folder:';
/** The folder of an account that {@link freshAccount} gave. */
export const folderOf = (account: string) => account.slice(folderMark.length);

/** The connection string of a storage account that no other host in this test run uses. */
export function freshAccount(): string {
  if (embedded) return folderMark + freshFolder();
  if (memory) {
    const account = `memory:${memory.size}`;
    memory.set(account, memoryStore(Date.now).store);
    return account;
  }
  if (byIdentity) return byIdentity.freshAccount();
  const { ports, taken } = inject('azurite');
  for (let i = 0; ; i++) {
    const name = `test${i}`;
    try {
      mkdirSync(join(taken, `taken-${name}`));
    } catch {
      continue;
    }
    return connectionString('http', name, ports);
  }
}

/** The store in that account, for tests that hold however it is opened. */
export function storeOf(connection: string): Store {
  if (connection.startsWith(folderMark)) return openEmbedded(folderOf(connection));
  const kept = memory?.get(connection);
  if (kept) return kept;
  return openStore(byIdentity ? byIdentity.identityOf(connection) : connection);
}
