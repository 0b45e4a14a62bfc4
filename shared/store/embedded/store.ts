import { join } from 'node:path';
import { type Instant, second } from '../../instant.ts';
import { type KeptStore, rowsOver } from '../store.ts';
import type { Codec } from '../table.ts';
import { embeddedAttempts } from './attempts.ts';
import { embeddedBundles } from './bundles.ts';
import { carriedFolder } from './carried.ts';
import { openDatabase } from './database.ts';
import { embeddedLaunches, handOutAgain } from './launches.ts';
import { embeddedTable, tableSql } from './table.ts';

/** Where the rows are, in the folder of a store. */
export const databaseFile = (folder: string) => join(folder, 'lamplighter.db');

export interface EmbeddedStore extends KeptStore {
  /** For the one host that begins after all others are gone: what they had taken from the queue is taken again. */
  takeOver(): Promise<void>;
  /** Names of its tables. */
  tables: ReadonlySet<string>;
  /** Lets go of the file. Nothing may be asked afterwards. */
  close(): void;
}

/**
 * Opens the store of one machine: rows and launch queue in an SQLite file, what attempts leave as plain files, all for
 * this user alone. Any number of processes may have it open.
 * @param clock of the machine; visibility in the queue goes by it
 * @throws StoreTrouble, SchemaTooNew
 */
export function openEmbedded(folder: string, clock: () => Instant = Date.now): EmbeddedStore {
  const db = openDatabase(databaseFile(folder));
  const tables = new Set<string>();
  const open = <T>(name: string, codec: Codec<T>) => {
    tables.add(name);
    return embeddedTable(db, name, codec);
  };
  const rows = rowsOver(open);
  db.ensure(tables, tableSql);
  return {
    ...rows,
    launches: embeddedLaunches(db, clock),
    attempts: embeddedAttempts(folder),
    bundles: embeddedBundles(join(folder, 'bundles')),
    takeOver: () => handOutAgain(db, clock),
    tables,
    rows: (name, codec) => embeddedTable(db, name, codec),
    files: { attempts: carriedFolder(join(folder, 'attempts')), bundles: carriedFolder(join(folder, 'bundles')) },
    // All is there since it was opened.
    async prepare() {},
    time: async () => Math.floor(clock() / second) * second,
    close: () => db.close(),
  };
}
