import { odata, RestError, type TableClient, type TableEntity, type TransactionAction } from '@azure/data-tables';
import { fromIso, type Instant } from '../instant.ts';

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
  /** Undefined: a row with this key exists already. */
  insert(value: T): Promise<Versioned<T> | undefined>;
  /** Inserts rows of one partition, 100 a request. @returns those that were new; the others are left as they are. */
  insertAll(values: T[]): Promise<T[]>;
  /** Writes rows of one partition, 100 a request, over what is there: for rows that are always written the same. */
  putAll(values: T[]): Promise<void>;
  get(partitionKey: string, rowKey: string): Promise<Versioned<T> | undefined>;
  /** Undefined: somebody else has changed or removed the row since it was read. */
  replace(value: T, etag: string): Promise<Versioned<T> | undefined>;
  /** Removing what is gone already is fine. */
  remove(partitionKey: string, rowKey: string): Promise<void>;
  /** Removes the row if it is still as it was read. False: it has changed, or is gone. */
  removeIf(partitionKey: string, rowKey: string, etag: string): Promise<boolean>;
  /** Removes rows of one partition, 100 a request. */
  removeAll(partitionKey: string, rowKeys: string[]): Promise<void>;
  /** Row keys from `from` (inclusive) to `to` (exclusive), in their order, read page by page as far as needed. */
  list(partitionKey: string, range?: { from?: string; to?: string; page?: number }): AsyncIterable<Versioned<T>>;
}

/** Limit of Table Storage for one entity group transaction. */
const batchSize = 100;

export function table<T>(client: TableClient, codec: Codec<T>): Table<T> {
  const entity = (value: T): TableEntity => ({ ...codec.keys(value), ...withoutNulls(codec.encode(value)) });
  const read = (found: Record<string, unknown>): Versioned<T> => ({
    value: codec.decode(found),
    etag: found.etag as string,
  });

  async function insert(value: T) {
    try {
      const { etag } = await client.createEntity(entity(value));
      return { value, etag: etag ?? '' };
    } catch (error) {
      if (hasCode(error, 409, 'EntityAlreadyExists')) return undefined;
      throw error;
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
      for (let at = 0; at < values.length; at += batchSize) {
        const some = values.slice(at, at + batchSize);
        try {
          await client.submitTransaction(some.map((value): TransactionAction => ['create', entity(value)]));
          inserted.push(...some);
        } catch (error) {
          // One row that exists fails the whole transaction: then each goes by itself.
          if (!(error instanceof RestError) || error.statusCode !== 409) throw error;
          for (const value of some) if (await insert(value)) inserted.push(value);
        }
      }
      return inserted;
    },
    async putAll(values) {
      const [one, ...others] = values;
      if (one && others.length === 0) {
        await client.upsertEntity(entity(one), 'Replace');
        return;
      }
      for (let at = 0; at < values.length; at += batchSize) {
        const some = values.slice(at, at + batchSize);
        await client.submitTransaction(some.map((value): TransactionAction => ['upsert', entity(value), 'Replace']));
      }
    },
    async get(partitionKey, rowKey) {
      try {
        return read(await client.getEntity(partitionKey, rowKey));
      } catch (error) {
        if (hasCode(error, 404, 'ResourceNotFound')) return undefined;
        throw error;
      }
    },
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
      for (let at = 0; at < rowKeys.length; at += batchSize) {
        const some = rowKeys.slice(at, at + batchSize);
        try {
          await client.submitTransaction(some.map((rowKey): TransactionAction => ['delete', { partitionKey, rowKey }]));
        } catch (error) {
          // One row that is gone fails the whole transaction: then each goes by itself.
          if (!(error instanceof RestError) || error.statusCode !== 404) throw error;
          for (const rowKey of some) await remove(partitionKey, rowKey);
        }
      }
    },
    async *list(partitionKey, { from = '', to = '\uffff', page = 1_000 } = {}) {
      const filter = odata`PartitionKey eq ${partitionKey} and RowKey ge ${from} and RowKey lt ${to}`;
      // An empty page with a continuation is normal in Azure; byPage goes on by itself.
      const pages = client.listEntities({ queryOptions: { filter } }).byPage({ maxPageSize: page });
      for await (const rows of pages) for (const row of rows) yield read(row);
    },
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
