import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

/** The connection string of a storage account that nobody else in this test run uses. */
export function freshAccount(): string {
  const { ports, key, taken } = inject('azurite');
  for (let i = 0; ; i++) {
    const name = `test${i}`;
    try {
      mkdirSync(join(taken, `taken-${name}`));
    } catch {
      continue;
    }
    return [
      'DefaultEndpointsProtocol=http',
      `AccountName=${name}`,
      `AccountKey=${key}`,
      `BlobEndpoint=http://127.0.0.1:${ports.blob}/${name}`,
      `QueueEndpoint=http://127.0.0.1:${ports.queue}/${name}`,
      `TableEndpoint=http://127.0.0.1:${ports.table}/${name}`,
    ].join(';');
  }
}
