import type { DatabaseSync } from 'node:sqlite';

/** Says which program's file it is (sqlite.org/pragma.html#pragma_application_id): `Lamp`. */
const application = 0x4c61_6d70;

/** One step forward each, in their order, and never changed once released; the version is how many were taken. */
const steps: readonly string[] = [
  `CREATE TABLE launches (
     id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, at INTEGER NOT NULL, visible INTEGER NOT NULL,
     count INTEGER NOT NULL DEFAULT 0) STRICT;
   CREATE INDEX launches_visible ON launches (visible);
   CREATE TABLE poison (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL) STRICT;`,
];

/** @throws Error: the file is another program's, or a newer version of this one has written it */
export function migrate(db: DatabaseSync): void {
  const before = versionOf(db);
  if (before.version === steps.length && before.application === application) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been faster.
    const { version, application: owner } = versionOf(db);
    if (owner !== application && (owner !== 0 || version !== 0 || before.tables > 0)) {
      throw new Error('it is not a store of Lamplighter: move the file away, or name another folder with --home');
    }
    if (version > steps.length) throw new SchemaTooNew(version);
    for (const step of steps.slice(version)) db.exec(step);
    db.exec(`PRAGMA application_id=${application}; PRAGMA user_version=${steps.length}; COMMIT`);
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
  }
}

/** A newer Lamplighter has written the store, and this one cannot read all of it. */
export class SchemaTooNew extends Error {
  constructor(version: number) {
    super(
      `the store has version ${version}, and this Lamplighter knows ${steps.length}: start the newer Lamplighter again, ` +
        'or restore a backup that this one has made (lamp restore <file>)',
    );
    this.name = 'SchemaTooNew';
  }
}

function versionOf(db: DatabaseSync) {
  const one = (pragma: string) => Object.values(db.prepare(pragma).get() ?? {})[0] as number;
  return {
    version: one('PRAGMA user_version'),
    application: one('PRAGMA application_id'),
    tables: one('SELECT count(*) FROM sqlite_schema'),
  };
}
