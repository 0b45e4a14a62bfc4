import { openDatabase } from '../../../shared/store/embedded/database.ts';
import { embeddedTable, tableSql } from '../../../shared/store/embedded/table.ts';

export interface Row {
  key: string;
  text: string;
}

const codec = {
  keys: ({ key }: Row) => ({ partitionKey: 'rows', rowKey: key }),
  encode: ({ text }: Row) => ({ text }),
  decode: (row: Record<string, unknown>) => ({ key: String(row.rowKey), text: String(row.text) }),
};

/** A table of such rows in an embedded store. */
export const openRows = (file: string) => {
  const db = openDatabase(file);
  db.ensure(['rows'], tableSql);
  // Often, so that many of the cuts fall into a checkpoint or the beginning of a new log.
  db.statement('PRAGMA wal_autocheckpoint = 12').get();
  return { db, table: embeddedTable(db, 'rows', codec) };
};
