import { chmodSync, closeSync, fdatasync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { second } from '../../instant.ts';
import { migrate } from './schema.ts';
import { isBusy, storeTrouble } from './trouble.ts';

/** One SQLite file, shared by the processes of this machine. What is asked of it runs at once, and is durable when it resolves. */
export interface Database {
  readonly path: string;
  /** Prepared once. */
  statement(sql: string): StatementSync;
  /** Retried while another process writes. @throws StoreTrouble */
  read<T>(work: () => T): Promise<T>;
  /** Resolves once a power cut cannot undo it. @throws StoreTrouble */
  write<T>(work: () => T): Promise<T>;
  /** The same as one transaction: all of it or nothing. */
  together<T>(work: () => T): Promise<T>;
  /** For what may be forgotten by a power cut, as it is only repeated then: resolves at once. */
  jot<T>(work: () => T): Promise<T>;
  /** Makes the tables that are missing. @param sql that makes the table of a name unless it is there */
  ensure(names: Iterable<string>, sql: (name: string) => string): void;
  close(): void;
}

/** SQLite itself waits this long for a writer, and holds up this process meanwhile; then we wait without that. */
const holdMs = 20;
/** As long as a call to Azure may take. */
const patienceMs = 20 * second;

/**
 * Opens the file, and makes it where there is none. In WAL mode a transaction is one append to `-wal`; with
 * `synchronous=normal` SQLite syncs that file before a checkpoint only, which keeps the database whole, and not the last
 * transactions. Those are ours to sync: each write waits for an fdatasync of `-wal` that began after its commit. So the
 * disk is waited for outside the lock and outside this thread, and writes that wait together share one sync
 * (sqlite.org/wal.html, "Performance Considerations"; test/store/power-cut.test.ts).
 * @throws StoreTrouble, and SchemaTooNew
 */
export function openDatabase(path: string): Database {
  try {
    return opened(path);
  } catch (error) {
    throw storeTrouble(path, error);
  }
}

function opened(path: string): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite would make it readable for all; -wal and -shm get the same mode as the file.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const db = new DatabaseSync(path, { timeout: patienceMs });
  let wal: number;
  try {
    db.exec('PRAGMA journal_mode=wal; PRAGMA synchronous=normal; PRAGMA journal_size_limit=67108864');
    db.exec('PRAGMA cache_size=-4096; PRAGMA temp_store=memory; PRAGMA trusted_schema=off');
    migrate(db);
    db.exec(`PRAGMA busy_timeout=${holdMs}`);
    wal = openSync(`${path}-wal`, 'r+');
  } catch (error) {
    db.close();
    throw error;
  }
  const statements = new Map<string, StatementSync>();
  const durable = synced(
    () =>
      new Promise((resolve, reject) => {
        fdatasync(wal, (error) => (error ? reject(error) : resolve()));
      }),
    () => checkpoint(db),
  );

  async function tried<T>(work: () => T): Promise<T> {
    for (const until = performance.now() + patienceMs; ; await sleep(5 + Math.random() * 20)) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() > until) throw storeTrouble(path, error);
      }
    }
  }

  async function write<T>(work: () => T): Promise<T> {
    const done = await tried(work);
    try {
      await durable();
    } catch (error) {
      throw storeTrouble(path, error);
    }
    return done;
  }

  return {
    path,
    statement(sql) {
      const known = statements.get(sql) ?? db.prepare(sql);
      statements.set(sql, known);
      return known;
    },
    read: tried,
    jot: tried,
    write,
    together: (work) => write(() => transaction(db, work)),
    ensure(names, sql) {
      const known = new Set(
        db
          .prepare('SELECT name FROM sqlite_schema')
          .all()
          .map(({ name }) => name),
      );
      const missing = [...names].filter((name) => !known.has(name));
      if (missing.length === 0) return;
      db.exec(`PRAGMA busy_timeout=${patienceMs}`);
      transaction(db, () => {
        for (const name of missing) db.exec(sql(name));
      });
      db.exec(`PRAGMA busy_timeout=${holdMs}`);
    },
    close() {
      statements.clear();
      db.close();
      closeSync(wal);
    },
  };
}

/** All of the log into the database, and both synced. @throws Error: another process reads what stands in the way */
function checkpoint(db: DatabaseSync): void {
  const { busy } = db.prepare('PRAGMA wal_checkpoint(full)').get() ?? {};
  if (busy !== 0) throw Object.assign(new Error('the log could not be copied'), { errcode: 5 });
}

export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const done = work();
    db.exec('COMMIT');
    return done;
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
  }
}

/**
 * @param sync of all that was written before it began
 * @param again after a sync has failed the system may hold for written what is not (fsync(2)): writes it anew
 * @returns what resolves after a sync that began later than the call
 */
function synced(sync: () => Promise<void>, again: () => void): () => Promise<void> {
  let next: PromiseWithResolvers<void> | undefined;
  let working = false;
  let failed = false;

  async function work() {
    working = true;
    // What is written in this turn of the event loop comes along.
    await Promise.resolve();
    for (let now = next; now; now = next) {
      next = undefined;
      try {
        if (failed) again();
        failed = true;
        await sync();
        failed = false;
        now.resolve();
      } catch (error) {
        now.reject(error);
      }
    }
    working = false;
  }

  return () => {
    next ??= Promise.withResolvers();
    const { promise } = next;
    if (!working) void work();
    return promise;
  };
}
