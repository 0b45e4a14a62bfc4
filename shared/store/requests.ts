import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { day, type Instant } from '../instant.ts';
import { propertyLimit } from './property.ts';
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
  /** What it was answered with, as JSON; null: not yet, or it is too long for a row. */
  answer: string | null;
}

const keptMs = day;
const partition = 'requests';

/** Keys may hold anything that a header may. */
const rowKey = (caller: string, key: string) =>
  createHash('sha256')
    .update(JSON.stringify([caller, key]))
    .digest('hex');

export const requestCodec: Codec<KeptRequest> = {
  keys: ({ caller, key }) => ({ partitionKey: partition, rowKey: rowKey(caller, key) }),
  encode: ({ caller, key, asked, at, token, answer }) => ({
    ...{ caller, key, asked, token },
    at: new Date(at),
    answer: answer === null ? null : packed(answer),
  }),
  decode: (row) => ({
    caller: String(row.caller),
    key: String(row.key),
    asked: String(row.asked),
    at: readInstant(row.at),
    token: String(row.token),
    answer: typeof row.answer === 'string' ? unpacked(row.answer) : null,
  }),
};

/** A backfill names a thousand runs: that fits when it is packed. */
function packed(answer: string): string {
  return deflateRawSync(answer).toString('base64');
}

function unpacked(text: string): string {
  return inflateRawSync(Buffer.from(text, 'base64')).toString();
}

export type NewRequest = Omit<KeptRequest, 'answer'>;

export interface Requests {
  /** Keeps the request for a day. @returns the one that came first by this key: this one, or an earlier */
  first(request: NewRequest): Promise<KeptRequest>;
  /** Keeps what it was answered with. @returns the answer that was kept first: this one, or another host's */
  keep(request: Pick<KeptRequest, 'caller' | 'key' | 'token'>, answer: string): Promise<string>;
  /** Removes those whose key is free again. */
  forget(now: Instant): Promise<void>;
}

export function requests(table: Table<KeptRequest>): Requests {
  return {
    async first(asked) {
      const request = { ...asked, answer: null };
      for (;;) {
        if (await table.insert(request)) return request;
        const found = await table.get(partition, rowKey(request.caller, request.key));
        if (found && found.value.at > request.at - keptMs) return found.value;
        // Older than a key is good for: taken over, unless another request was faster.
        if (found && (await table.replace(request, found.etag))) return request;
      }
    },
    async keep({ caller, key, token }, answer) {
      if (packed(answer).length > propertyLimit) return answer;
      for (;;) {
        const found = await table.get(partition, rowKey(caller, key));
        // Another request has the key by now: this one took longer than a day.
        if (!found || found.value.token !== token) return answer;
        if (found.value.answer !== null) return found.value.answer;
        if (await table.replace({ ...found.value, answer }, found.etag)) return answer;
      }
    },
    async forget(now) {
      const old: string[] = [];
      for await (const { value } of table.list(partition, { page: 1_000 })) {
        if (value.at <= now - keptMs) old.push(rowKey(value.caller, value.key));
      }
      await table.removeAll(partition, old);
    },
  };
}
