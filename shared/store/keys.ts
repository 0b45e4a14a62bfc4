import { randomBytes } from 'node:crypto';
import type { Codec, Table } from './table.ts';

/** A random key of this installation. */
interface Key {
  name: 'nudge' | 'links' | 'ping';
  bytes: Buffer;
}

const partition = 'service';
const rowKey = (name: Key['name']) => `key|${name}`;

export const keyCodec: Codec<Key> = {
  keys: ({ name }) => ({ partitionKey: partition, rowKey: rowKey(name) }),
  encode: ({ bytes }) => ({ bytes: bytes.toString('base64') }),
  decode: (row) => ({
    name: String(row.rowKey).split('|')[1] as Key['name'],
    bytes: Buffer.from(String(row.bytes), 'base64'),
  }),
};

/** Made on first use: the one that comes first makes it, and everybody has the same. */
export type Keys = (name: Key['name']) => Promise<Buffer>;

export function keys(table: Table<Key>): Keys {
  return async (name) => {
    for (;;) {
      const found = await table.get(partition, rowKey(name));
      if (found) return found.value.bytes;
      await table.insert({ name, bytes: randomBytes(32) });
    }
  };
}
