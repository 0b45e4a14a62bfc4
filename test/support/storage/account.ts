import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { openStore } from '../../../shared/store/azure/store.ts';
import type { Store } from '../../../shared/store/store.ts';
import { connectionString } from './azurite.ts';
import type { IdentityAzurite } from './azurite-identity.ts';

let byIdentity: IdentityAzurite | undefined;

/** From here on accounts are of that Azurite, and {@link storeOf} opens them by an identity. */
export function openByIdentity(azurite: IdentityAzurite): void {
  byIdentity = azurite;
}

/** The connection string of a storage account that no other host in this test run uses. */
export function freshAccount(): string {
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
  return openStore(byIdentity ? byIdentity.identityOf(connection) : connection);
}
