import type { Instant } from '../instant.ts';
import { brieflyAsked } from './property.ts';
import { type Codec, readInstant, type Table, type Versioned } from './table.ts';

/** Whom a silence is for. */
export type Scope = { kind: 'all' } | { kind: 'job'; name: string } | { kind: 'tag'; name: string };

/** For some time nothing is reported: a person's wish, with an end and a reason. */
export interface Silence {
  id: string;
  scope: Scope;
  from: Instant;
  until: Instant;
  by: string;
  why: string;
}

const partition = '!silence';

export const silenceCodec: Codec<Silence> = {
  keys: ({ id }) => ({ partitionKey: partition, rowKey: id }),
  encode: ({ id: _id, scope, from, until, ...asked }) => ({
    ...brieflyAsked(asked),
    scope: JSON.stringify(scope),
    from: new Date(from),
    until: new Date(until),
  }),
  decode: (row) => ({
    id: String(row.rowKey),
    scope: JSON.parse(String(row.scope)),
    from: readInstant(row.from),
    until: readInstant(row.until),
    by: String(row.by),
    why: String(row.why ?? ''),
  }),
};

export interface Silences {
  add(silence: Silence): Promise<void>;
  get(id: string): Promise<Versioned<Silence> | undefined>;
  /** It lasts until then, unless it was over before. @returns it as it is now; undefined: there is none of this id */
  end(id: string, at: Instant): Promise<Silence | undefined>;
  remove(id: string): Promise<void>;
  /** All that have not been removed; some may be over. */
  current(): Promise<Silence[]>;
}

export function silences(table: Table<Silence>): Silences {
  return {
    async add(silence) {
      await table.insert(silence);
    },
    get: (id) => table.get(partition, id),
    async end(id, at) {
      for (;;) {
        const found = await table.get(partition, id);
        if (!found || found.value.until <= at) return found?.value;
        const written = await table.replace({ ...found.value, until: at }, found.etag);
        if (written) return written.value;
      }
    },
    remove: (id) => table.remove(partition, id),
    async current() {
      const found: Silence[] = [];
      for await (const { value } of table.list(partition)) found.push(value);
      return found;
    },
  };
}
