import type { Codec, Table, Versioned } from '../../../shared/store/table.ts';

interface Row {
  text: string;
  etag: string;
}

/** Limit of Table Storage for one text property: 64 KiB of UTF-16. */
const mostCharacters = 32_768;

/** A table in memory, for tests in virtual time: same answers as Table Storage, same limits, rows as its codec writes them. */
export function memoryTable<T>(codec: Codec<T>): Table<T> {
  const partitions = new Map<string, Map<string, Row>>();
  let version = 0;

  const partition = (key: string) => {
    const found = partitions.get(key) ?? new Map<string, Row>();
    partitions.set(key, found);
    return found;
  };
  const write = (value: T): Versioned<T> => {
    const { partitionKey, rowKey } = codec.keys(value);
    version += 1;
    const etag = `W/"${version}"`;
    partition(partitionKey).set(rowKey, { text: JSON.stringify(entity(codec, value)), etag });
    return { value, etag };
  };
  const rowOf = (value: T) => {
    const { partitionKey, rowKey } = codec.keys(value);
    return partition(partitionKey).get(rowKey);
  };
  const read = ({ text, etag }: Row): Versioned<T> => ({ value: codec.decode(JSON.parse(text)), etag });
  const insert = (value: T) => (rowOf(value) ? undefined : write(value));

  return {
    insert: async (value) => insert(value),
    insertAll: async (values) => values.filter((value) => insert(value) !== undefined),
    async putAll(values) {
      for (const value of values) write(value);
    },
    async writeAll(changes) {
      const fresh = changes.every(({ value, etag }) => rowOf(value)?.etag === etag);
      return fresh ? changes.map(({ value }) => write(value)) : undefined;
    },
    async get(partitionKey, rowKey) {
      const row = partition(partitionKey).get(rowKey);
      return row && read(row);
    },
    async replace(value, etag) {
      return rowOf(value)?.etag === etag ? write(value) : undefined;
    },
    async remove(partitionKey, rowKey) {
      partition(partitionKey).delete(rowKey);
    },
    async removeIf(partitionKey, rowKey, etag) {
      const rows = partition(partitionKey);
      return rows.get(rowKey)?.etag === etag && rows.delete(rowKey);
    },
    async removeAll(partitionKey, rowKeys) {
      for (const rowKey of rowKeys) partition(partitionKey).delete(rowKey);
    },
    async *list(partitionKey, { from = '', to = '\uffff', unreadable } = {}) {
      const rows = partition(partitionKey);
      const keys = [...rows.keys()].filter((key) => key >= from && key < to).sort((a, b) => (a < b ? -1 : 1));
      for (const key of keys) {
        const row = rows.get(key);
        if (!row) continue;
        try {
          yield read(row);
        } catch (error) {
          if (!unreadable) throw error;
          unreadable(key, error);
        }
      }
    },
  };
}

/** As the service would keep it: nulls are absent, and no property is longer than it allows. */
function entity<T>(codec: Codec<T>, value: T): Record<string, unknown> {
  const all = Object.entries({ ...codec.keys(value), ...codec.encode(value) });
  const kept = all.filter(([, property]) => property !== null && property !== undefined);
  for (const [name, property] of kept) {
    if (typeof property === 'string' && property.length > mostCharacters)
      throw new Error(`${name} is too long for a row`);
  }
  return Object.fromEntries(kept);
}
