import type { Codec, Table, Versioned } from '../../../shared/store/table.ts';

interface Row {
  /** Frozen: what reads it makes a value of its own from it. */
  entity: Readonly<Record<string, Property>>;
  etag: string;
}

/** What a property may be; with a type where its value does not show it. */
type Property = string | number | boolean | Date | { type: string; value: string };

interface Partition {
  rows: Map<string, Row>;
  /** Its keys in order. Never changed in place, as listings are under way in it. */
  keys: readonly string[];
}

/** Limit of Table Storage for one text property: 64 KiB of UTF-16. */
const mostCharacters = 32_768;

/** A table in memory, for tests in virtual time: same answers as Table Storage, same limits, rows as its codec writes them. */
export function memoryTable<T>(codec: Codec<T>): Table<T> {
  const partitions = new Map<string, Partition>();
  let version = 0;

  const partition = (key: string) => {
    const found = partitions.get(key) ?? { rows: new Map<string, Row>(), keys: [] };
    partitions.set(key, found);
    return found;
  };
  const write = (value: T): Versioned<T> => {
    const { partitionKey, rowKey } = codec.keys(value);
    version += 1;
    const etag = `W/"${version}"`;
    const into = partition(partitionKey);
    if (!into.rows.has(rowKey)) into.keys = into.keys.toSpliced(firstFrom(into.keys, rowKey), 0, rowKey);
    into.rows.set(rowKey, { entity: entity(codec, value), etag });
    return { value, etag };
  };
  const rowOf = (value: T) => {
    const { partitionKey, rowKey } = codec.keys(value);
    return partition(partitionKey).rows.get(rowKey);
  };
  const remove = (partitionKey: string, rowKey: string) => {
    const from = partition(partitionKey);
    if (!from.rows.delete(rowKey)) return false;
    from.keys = from.keys.toSpliced(firstFrom(from.keys, rowKey), 1);
    return true;
  };
  const read = ({ entity, etag }: Row): Versioned<T> => ({ value: codec.decode(entity), etag });
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
      const row = partition(partitionKey).rows.get(rowKey);
      return row && read(row);
    },
    async replace(value, etag) {
      return rowOf(value)?.etag === etag ? write(value) : undefined;
    },
    async remove(partitionKey, rowKey) {
      remove(partitionKey, rowKey);
    },
    async removeIf(partitionKey, rowKey, etag) {
      return partition(partitionKey).rows.get(rowKey)?.etag === etag && remove(partitionKey, rowKey);
    },
    async removeAll(partitionKey, rowKeys) {
      for (const rowKey of rowKeys) remove(partitionKey, rowKey);
    },
    async *list(partitionKey, { from = '', to = '\uffff', unreadable } = {}) {
      const of = partition(partitionKey);
      const { keys } = of;
      for (let at = firstFrom(keys, from); at < keys.length; at += 1) {
        const key = keys[at] ?? to;
        if (key >= to) return;
        const row = of.rows.get(key);
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

/** Where the keys begin that are not before this one. */
function firstFrom(keys: readonly string[], from: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** As the service would keep it: nulls are absent, no property is longer than it allows, and none has parts of its own. */
function entity<T>(codec: Codec<T>, value: T): Readonly<Record<string, Property>> {
  const kept: Record<string, Property> = {};
  const keep = (properties: Record<string, unknown>) => {
    for (const name in properties) {
      const property = properties[name];
      if (property === null || property === undefined) continue;
      if (typeof property === 'string' && property.length > mostCharacters)
        throw new Error(`${name} is too long for a row`);
      if (!isProperty(property))
        throw new Error(`${name} is ${typeof property}: a row holds texts, numbers and instants`);
      kept[name] = property;
    }
  };
  keep(codec.keys(value));
  keep(codec.encode(value));
  return Object.freeze(kept);
}

function isProperty(value: unknown): value is Property {
  if (typeof value !== 'object') return ['string', 'number', 'boolean'].includes(typeof value);
  return value instanceof Date || typeof (value as { type?: unknown }).type === 'string';
}
