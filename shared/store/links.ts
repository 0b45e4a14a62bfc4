import { randomUUID } from 'node:crypto';
import type { Instant } from '../instant.ts';
import { type Codec, readInstant, type Table } from './table.ts';

/** A link that was used, so that it works once. */
interface UsedLink {
  /** Digest of the link and what was asked for. */
  id: string;
  until: Instant;
  /** Of the one that used it: two can never be taken for one another. */
  nonce: string;
}

const partition = '!used';

export const usedLinkCodec: Codec<UsedLink> = {
  keys: ({ id }) => ({ partitionKey: partition, rowKey: id }),
  encode: ({ until, nonce }) => ({ until: new Date(until), nonce }),
  decode: (row) => ({ id: String(row.rowKey), until: readInstant(row.until), nonce: String(row.nonce) }),
};

export interface UsedLinks {
  /** @returns false when it was used before. @param until after that it is refused by its own date */
  use(id: string, until: Instant): Promise<boolean>;
  forget(before: Instant): Promise<void>;
}

export function usedLinks(table: Table<UsedLink>): UsedLinks {
  return {
    async use(id, until) {
      return (await table.insert({ id, until, nonce: randomUUID() })) !== undefined;
    },
    async forget(before) {
      const over: string[] = [];
      for await (const { value } of table.list(partition)) if (value.until < before) over.push(value.id);
      await table.removeAll(partition, over);
    },
  };
}
