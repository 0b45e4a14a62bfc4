import { createHash } from 'node:crypto';
import { day, type Instant } from '../instant.ts';
import { type Codec, readInstant, type Table } from './table.ts';

/** A request to change something, by the key that its sender gave it, so that sending it twice does it once. */
export interface KeptRequest {
  caller: string;
  key: string;
  /** SHA-256 of what was asked, hex. */
  asked: string;
  /** When it came first, and what sets its run apart: the same again names the same run. */
  at: Instant;
  token: string;
}

const keptMs = day;

/** Keys may hold anything that a header may. */
const rowKey = (caller: string, key: string) =>
  createHash('sha256')
    .update(JSON.stringify([caller, key]))
    .digest('hex');

export const requestCodec: Codec<KeptRequest> = {
  keys: ({ caller, key }) => ({ partitionKey: 'requests', rowKey: rowKey(caller, key) }),
  encode: ({ caller, key, asked, at, token }) => ({ caller, key, asked, at: new Date(at), token }),
  decode: (row) => ({
    caller: String(row.caller),
    key: String(row.key),
    asked: String(row.asked),
    at: readInstant(row.at),
    token: String(row.token),
  }),
};

export interface Requests {
  /** Keeps the request for a day. @returns the one that came first by this key: this one, or an earlier */
  first(request: KeptRequest): Promise<KeptRequest>;
}

export function requests(table: Table<KeptRequest>): Requests {
  return {
    async first(request) {
      for (;;) {
        if (await table.insert(request)) return request;
        const found = await table.get('requests', rowKey(request.caller, request.key));
        if (found && found.value.at > request.at - keptMs) return found.value;
        // Older than a key is good for: taken over, unless another request was faster.
        if (found && (await table.replace(request, found.etag))) return request;
      }
    },
  };
}
