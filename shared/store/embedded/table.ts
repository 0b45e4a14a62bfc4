import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { batches } from '../../batches.ts';
import { type Codec, entityOf, type Table, type Versioned } from '../table.ts';
import type { Database } from './database.ts';

/** Rows a transaction: others write in between. */
const batchSize = 100;
/** Rows at once of a listing: some milliseconds with what is made of them. */
const readSize = 200;

/** A row's version is never used again, also not by a row that comes later under the same key. */
const seed = randomBytes(9).toString('base64url');
let versions = 0;
const version = () => `${seed}.${(++versions).toString(36)}`;

interface Row {
  row: string;
  etag: string;
  entity: string;
}

export const tableSql = (name: string) =>
  `CREATE TABLE IF NOT EXISTS "${name}" (
     partition TEXT NOT NULL, row TEXT NOT NULL, etag TEXT NOT NULL, entity TEXT NOT NULL,
     UNIQUE (partition, row)) STRICT`;

/** Rows of one kind as JSON, in an SQLite table that others may share: it is there once the store is prepared. */
export function embeddedTable<T>(db: Database, name: string, codec: Codec<T>): Table<T> {
  const sql = {
    insert: `INSERT INTO "${name}" (partition, row, etag, entity) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    put: `INSERT INTO "${name}" (partition, row, etag, entity) VALUES (?, ?, ?, ?)
          ON CONFLICT DO UPDATE SET etag = excluded.etag, entity = excluded.entity`,
    get: `SELECT row, etag, entity FROM "${name}" WHERE partition = ? AND row = ?`,
    replace: `UPDATE "${name}" SET etag = ?, entity = ? WHERE partition = ? AND row = ? AND etag = ?`,
    remove: `DELETE FROM "${name}" WHERE partition = ? AND row = ?`,
    removeIf: `DELETE FROM "${name}" WHERE partition = ? AND row = ? AND etag = ?`,
    list: `SELECT row, etag, entity FROM "${name}" WHERE partition = ? AND row >= ? ORDER BY row LIMIT ?`,
    listTo: `SELECT row, etag, entity FROM "${name}" WHERE partition = ? AND row >= ? AND row < ? ORDER BY row LIMIT ?`,
  };
  const run = (text: string, ...values: string[]) => db.statement(text).run(...values).changes === 1;
  const encode = (value: T) => {
    const { partitionKey, rowKey, ...properties } = entityOf(codec, value);
    return { partitionKey, rowKey, etag: version(), text: JSON.stringify(properties) };
  };
  type Encoded = ReturnType<typeof encode>;
  const insert = ({ partitionKey, rowKey, etag, text }: Encoded) => run(sql.insert, partitionKey, rowKey, etag, text);
  const put = ({ partitionKey, rowKey, etag, text }: Encoded) => run(sql.put, partitionKey, rowKey, etag, text);
  const decode = (partitionKey: string, { row, etag, entity }: Row): Versioned<T> => ({
    value: codec.decode({ partitionKey, rowKey: row, ...JSON.parse(entity) }),
    etag,
  });

  return {
    async insert(value) {
      const encoded = encode(value);
      return (await db.write(() => insert(encoded))) ? { value, etag: encoded.etag } : undefined;
    },
    async insertAll(values) {
      const inserted: T[] = [];
      for (const some of batches(values, batchSize)) {
        const encoded = some.map(encode);
        const fresh = await db.together(() => encoded.map(insert));
        inserted.push(...some.filter((_, at) => fresh[at]));
      }
      return inserted;
    },
    async putAll(values) {
      for (const some of batches(values, batchSize)) {
        const encoded = some.map(encode);
        await db.together(() => encoded.forEach(put));
      }
    },
    async writeAll(changes) {
      const written: Versioned<T>[] = [];
      for (const some of batches(changes, batchSize)) {
        const encoded = some.map(({ value }) => encode(value));
        const isFresh = ({ partitionKey, rowKey }: Encoded, at: number) => {
          const there = db.statement(sql.get).get(partitionKey, rowKey) as Row | undefined;
          return there?.etag === some[at]?.etag;
        };
        const done = await db.together(() => {
          const fresh = encoded.every(isFresh);
          if (fresh) encoded.forEach(put);
          return fresh;
        });
        if (!done) return undefined;
        written.push(...some.map(({ value }, at) => ({ value, etag: encoded[at]?.etag ?? '' })));
      }
      return written;
    },
    async get(partitionKey, rowKey) {
      const found = await db.read(() => db.statement(sql.get).get(partitionKey, rowKey));
      return found && decode(partitionKey, found as unknown as Row);
    },
    async replace(value, etag) {
      const { partitionKey, rowKey, etag: next, text } = encode(value);
      const done = await db.write(() => run(sql.replace, next, text, partitionKey, rowKey, etag));
      return done ? { value, etag: next } : undefined;
    },
    async remove(partitionKey, rowKey) {
      await db.write(() => run(sql.remove, partitionKey, rowKey));
    },
    removeIf: (partitionKey, rowKey, etag) => db.write(() => run(sql.removeIf, partitionKey, rowKey, etag)),
    async removeAll(partitionKey, rowKeys) {
      for (const some of batches(rowKeys, batchSize)) {
        await db.together(() => {
          for (const rowKey of some) run(sql.remove, partitionKey, rowKey);
        });
      }
    },
    async *list(partitionKey, { from = '', to, page = 1_000, unreadable } = {}) {
      const range = to === undefined ? [] : [to];
      const most = Math.min(page, readSize);
      const statement = to === undefined ? sql.list : sql.listTo;
      for (let start = from; ; ) {
        const rows = (await db.read(() =>
          db.statement(statement).all(partitionKey, start, ...range, most),
        )) as unknown as Row[];
        for (const row of rows) {
          let found: Versioned<T> | undefined;
          try {
            found = decode(partitionKey, row);
          } catch (error) {
            if (!unreadable) throw error;
            unreadable(row.row, error);
          }
          if (found) yield found;
        }
        const last = rows.at(-1);
        if (!last || rows.length < most) return;
        // A long listing holds up nothing else of this host.
        await setImmediate();
        // No key lies between a key and the same with a NUL behind it.
        start = `${last.row}\0`;
      }
    },
  };
}
