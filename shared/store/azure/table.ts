import { randomUUID } from 'node:crypto';
import { odata, RestError, type TableClient, type TableEntity, type TransactionAction } from '@azure/data-tables';
import { batches, eachOf } from '../../batches.ts';
import { type Change, type Codec, entityOf, type Listing, type Table, type Versioned } from '../table.ts';

/** Limit of Table Storage for one entity group transaction. */
const batchSize = 100;
/** Rows that go one by one: this many requests at once. */
const together = 16;
/** This often rows of others may come in between before a transaction gives up. */
const mostTries = 5;

export function azureTable<T>(client: TableClient, codec: Codec<T>): Table<T> {
  const entity = (value: T): TableEntity => entityOf(codec, value);
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

  async function replace(value: T, etag: string): Promise<Versioned<T> | undefined> {
    try {
      const { etag: next } = await client.updateEntity(entity(value), 'Replace', { etag });
      return { value, etag: next ?? '' };
    } catch (error) {
      if (hasCode(error, 412) || hasCode(error, 404, 'ResourceNotFound')) return undefined;
      throw error;
    }
  }

  async function writeSome(changes: Change<T>[]): Promise<Versioned<T>[] | undefined> {
    try {
      const { subResponses } = await client.submitTransaction(
        changes.map(
          ({ value, etag }): TransactionAction =>
            etag === undefined ? ['create', entity(value)] : ['update', entity(value), 'Replace', { etag }],
        ),
      );
      return changes.map(({ value }, at) => ({ value, etag: subResponses[at]?.etag ?? '' }));
    } catch (error) {
      if (error instanceof RestError && [404, 409, 412].includes(error.statusCode ?? 0)) return undefined;
      throw error;
    }
  }

  async function writeAll(changes: Change<T>[]): Promise<Versioned<T>[] | undefined> {
    const [one, ...others] = changes;
    if (one && others.length === 0) {
      const written = one.etag === undefined ? await insert(one.value) : await replace(one.value, one.etag);
      return written && [written];
    }
    const written: Versioned<T>[] = [];
    for (const some of batches(changes, batchSize)) {
      const rows = await writeSome(some);
      if (!rows) return undefined;
      written.push(...rows);
    }
    return written;
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
      const [one, ...others] = values;
      if (one && others.length === 0) return (await insert(one)) ? [one] : [];
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
    writeAll,
    get,
    replace,
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
      const [one, ...others] = rowKeys;
      if (one !== undefined && others.length === 0) return remove(partitionKey, one);
      for (const some of batches(rowKeys, batchSize)) {
        try {
          await client.submitTransaction(some.map((rowKey): TransactionAction => ['delete', { partitionKey, rowKey }]));
        } catch (error) {
          // One row that is gone fails the whole transaction: then each goes by itself.
          if (!(error instanceof RestError) || error.statusCode !== 404) throw error;
          await eachOf(some, together, (rowKey) => remove(partitionKey, rowKey));
        }
      }
    },
    list,
  };
}

function hasCode(error: unknown, status: number, code?: string): boolean {
  if (!(error instanceof RestError) || error.statusCode !== status) return false;
  const details = error.details as { odataError?: { code?: string } } | undefined;
  return code === undefined || details?.odataError?.code === code || error.code === code;
}
