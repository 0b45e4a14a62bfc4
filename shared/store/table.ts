import { randomUUID } from 'node:crypto';
import { odata, RestError, type TableClient, type TableEntity, type TransactionAction } from '@azure/data-tables';
import { batches } from '../batches.ts';
import { fromIso, type Instant } from '../instant.ts';
import { fits } from './property.ts';

/** A row as read, with the version that a conditional write must name. */
export interface Versioned<T> {
  value: T;
  etag: string;
}

export interface Codec<T> {
  keys(value: T): { partitionKey: string; rowKey: string };
  encode(value: T): Record<string, unknown>;
  decode(entity: Record<string, unknown>): T;
}

/** Rows of one kind in one table. Losing a race is an answer here, not an exception; an outage is an exception. */
export interface Table<T> {
  /** Undefined: another row with this key exists already. One that this very write made is ours: its answer got lost. */
  insert(value: T): Promise<Versioned<T> | undefined>;
  /** Inserts rows of one partition, 100 a request. @returns those that were new, as above; the others stay as they are. */
  insertAll(values: T[]): Promise<T[]>;
  /** Writes rows of one partition, 100 a request, over what is there: for rows that are always written the same. */
  putAll(values: T[]): Promise<void>;
  get(partitionKey: string, rowKey: string): Promise<Versioned<T> | undefined>;
  /** Undefined: another host has changed or removed the row since it was read. */
  replace(value: T, etag: string): Promise<Versioned<T> | undefined>;
  /** Removing what is gone already is fine. */
  remove(partitionKey: string, rowKey: string): Promise<void>;
  /** Removes the row if it is still as it was read. False: it has changed, or is gone. */
  removeIf(partitionKey: string, rowKey: string, etag: string): Promise<boolean>;
  /** Removes rows of one partition, 100 a request. */
  removeAll(partitionKey: string, rowKeys: string[]): Promise<void>;
  /** Row keys from `from` (inclusive) to `to` (exclusive), in their order, read page by page as far as needed. */
  list(partitionKey: string, listing?: Listing): AsyncIterable<Versioned<T>>;
}

export interface Listing {
  from?: string;
  to?: string;
  /** Rows a request, at most 1,000. */
  page?: number;
  /** Called with the key of a row that cannot be read, which is left out; not given: the listing fails there. */
  unreadable?: (rowKey: string, error: unknown) => void;
}

/** Limit of Table Storage for one entity group transaction. */
const batchSize = 100;
/** This often rows of others may come in between before a transaction gives up. */
const mostTries = 5;

export function table<T>(client: TableClient, codec: Codec<T>): Table<T> {
  const entity = (value: T): TableEntity => fits({ ...codec.keys(value), ...withoutNulls(codec.encode(value)) });
  const read = (found: Record<string, unknown>): Versioned<T> => ({
    value: codec.decode(found),
    etag: found.etag as string,
  });

  async function insert(value: T) {
    const write = randomUUID();
    try {
      const { etag } = await client.createEntity({ ...entity(value), write });
      return { value, etag: etag ?? '' };
    } catch (error) {
      if (!hasCode(error, 409, 'EntityAlreadyExists')) throw error;
    }
    const { partitionKey, rowKey } = codec.keys(value);
    const there = await raw(partitionKey, rowKey);
    return there?.write === write ? { value, etag: there.etag as string } : undefined;
  }

  async function raw(partitionKey: string, rowKey: string): Promise<Record<string, unknown> | undefined> {
    try {
      return await client.getEntity(partitionKey, rowKey);
    } catch (error) {
      if (hasCode(error, 404, 'ResourceNotFound')) return undefined;
      throw error;
    }
  }

  async function get(partitionKey: string, rowKey: string) {
    const found = await raw(partitionKey, rowKey);
    return found && read(found);
  }

  /** One row that exists fails a whole transaction: then those that are there are looked up, and the others go again. */
  async function insertSome(values: T[]): Promise<T[]> {
    const write = randomUUID();
    const inserted = new Set<T>();
    let left = values;
    for (let tries = 0; left.length > 0; tries++) {
      try {
        await client.submitTransaction(left.map((value): TransactionAction => ['create', { ...entity(value), write }]));
        for (const value of left) inserted.add(value);
        break;
      } catch (error) {
        if (!(error instanceof RestError) || error.statusCode !== 409) throw error;
        // Others write the same rows at the same time, again and again.
        if (tries === mostTries) throw error;
      }
      const there = await among(left);
      for (const value of left) if (there.get(codec.keys(value).rowKey) === write) inserted.add(value);
      left = left.filter((value) => !there.has(codec.keys(value).rowKey));
    }
    return values.filter((value) => inserted.has(value));
  }

  /** Row key → which write made it, of the rows from the first to the last of these. */
  async function among(values: readonly T[]): Promise<Map<string, unknown>> {
    const keys = values.map((value) => codec.keys(value));
    const rowKeys = keys.map(({ rowKey }) => rowKey).sort();
    const [from, to] = [rowKeys[0] ?? '', rowKeys.at(-1) ?? ''];
    const filter = odata`PartitionKey eq ${keys[0]?.partitionKey ?? ''} and RowKey ge ${from} and RowKey le ${to}`;
    const found = new Map<string, unknown>();
    const queryOptions = { filter, select: ['RowKey', 'write'] };
    for await (const row of client.listEntities({ queryOptions })) found.set(String(row.rowKey), row.write);
    return found;
  }

  async function* list(partitionKey: string, { from = '', to = '\uffff', page = 1_000, unreadable }: Listing = {}) {
    const filter = odata`PartitionKey eq ${partitionKey} and RowKey ge ${from} and RowKey lt ${to}`;
    // An empty page with a continuation is normal in Azure; byPage goes on by itself.
    const pages = client.listEntities({ queryOptions: { filter } }).byPage({ maxPageSize: page });
    for await (const rows of pages) {
      for (const row of rows) {
        const found = readable(row, unreadable);
        if (found) yield found;
      }
    }
  }

  function readable(row: Record<string, unknown>, unreadable: Listing['unreadable']): Versioned<T> | undefined {
    try {
      return read(row);
    } catch (error) {
      if (!unreadable) throw error;
      unreadable(String(row.rowKey), error);
      return undefined;
    }
  }

  async function remove(partitionKey: string, rowKey: string) {
    try {
      await client.deleteEntity(partitionKey, rowKey);
    } catch (error) {
      if (!hasCode(error, 404, 'ResourceNotFound')) throw error;
    }
  }

  return {
    insert,
    async insertAll(values) {
      const inserted: T[] = [];
      for (const some of batches(values, batchSize)) inserted.push(...(await insertSome(some)));
      return inserted;
    },
    async putAll(values) {
      const [one, ...others] = values;
      if (one && others.length === 0) {
        await client.upsertEntity(entity(one), 'Replace');
        return;
      }
      for (const some of batches(values, batchSize)) {
        await client.submitTransaction(some.map((value): TransactionAction => ['upsert', entity(value), 'Replace']));
      }
    },
    get,
    async replace(value, etag) {
      try {
        const { etag: next } = await client.updateEntity(entity(value), 'Replace', { etag });
        return { value, etag: next ?? '' };
      } catch (error) {
        if (hasCode(error, 412) || hasCode(error, 404, 'ResourceNotFound')) return undefined;
        throw error;
      }
    },
    remove,
    async removeIf(partitionKey, rowKey, etag) {
      try {
        await client.deleteEntity(partitionKey, rowKey, { etag });
        return true;
      } catch (error) {
        if (hasCode(error, 412) || hasCode(error, 404, 'ResourceNotFound')) return false;
        throw error;
      }
    },
    async removeAll(partitionKey, rowKeys) {
      for (const some of batches(rowKeys, batchSize)) {
        try {
          await client.submitTransaction(some.map((rowKey): TransactionAction => ['delete', { partitionKey, rowKey }]));
        } catch (error) {
          // One row that is gone fails the whole transaction: then each goes by itself.
          if (!(error instanceof RestError) || error.statusCode !== 404) throw error;
          for (const rowKey of some) await remove(partitionKey, rowKey);
        }
      }
    },
    list,
  };
}

/** Reads an instant from a row, to the millisecond: the text of a Date has none. */
export function readInstant(value: unknown): Instant {
  return value instanceof Date ? value.getTime() : fromIso(String(value));
}

function hasCode(error: unknown, status: number, code?: string): boolean {
  if (!(error instanceof RestError) || error.statusCode !== status) return false;
  const details = error.details as { odataError?: { code?: string } } | undefined;
  return code === undefined || details?.odataError?.code === code || error.code === code;
}

/** Table Storage has no null: an absent property is one. */
function withoutNulls(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== null && value !== undefined));
}
