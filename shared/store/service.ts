import type { Instant } from '../instant.ts';
import { type Codec, readInstant, type Table } from './table.ts';

/**
 * Facts about the service itself. `cursor`: all slots up to here are claimed. `heartbeat`: the last tick. `secrets`: the
 * last time that all of them were checked.
 */
interface Mark {
  name: 'cursor' | 'heartbeat' | 'secrets';
  at: Instant;
  host: string;
}

export const markCodec: Codec<Mark> = {
  keys: ({ name }) => ({ partitionKey: 'service', rowKey: name }),
  encode: ({ at, host }) => ({ at: new Date(at), host }),
  decode: (row) => ({ name: row.rowKey as Mark['name'], at: readInstant(row.at), host: String(row.host ?? '') }),
};

export interface Marks {
  /** Undefined: never set. */
  get(name: Mark['name']): Promise<Instant | undefined>;
  /** Moves a mark forward; a mark never goes back, whoever writes last. */
  advance(name: Mark['name'], at: Instant, host: string): Promise<void>;
}

export function marks(table: Table<Mark>): Marks {
  return {
    get: async (name) => (await table.get('service', name))?.value.at,
    async advance(name, at, host) {
      for (;;) {
        const found = await table.get('service', name);
        if (found && found.value.at >= at) return;
        const mark = { name, at, host };
        if (found ? await table.replace(mark, found.etag) : await table.insert(mark)) return;
      }
    },
  };
}
