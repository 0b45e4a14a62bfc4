import type { KeptStore } from '../../shared/store/store.ts';
import { importHistory } from '../archive/read.ts';
import { exportHistory } from '../archive/write.ts';
import type { Home } from '../home.ts';
import { anyHost } from '../host/lock.ts';
import { openHere } from '../host/session.ts';
import { openFolder } from '../host/store.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { printTable } from '../table.ts';
import { readSince } from '../time.ts';
import { count } from '../words.ts';

interface Where {
  /** A storage account in Azure; left out: the store of the folder, or the account that LAMPLIGHTER_STORAGE names. */
  account?: string;
  json?: boolean;
}

/** `lamp export`: all history in one file, to be imported into another store. */
export async function exportTo(
  home: Home,
  file: string,
  { job: jobs = [], since, ...where }: Where & { job?: string[]; since?: string },
): Promise<void> {
  const now = Date.now();
  const from = since === undefined ? undefined : readSince(since, now);
  const done = await within(home, where, 'export', (store) => exportHistory(store, file, { jobs, since: from, now }));
  if (where.json) return printJson({ file, ...done });
  printTable(
    ['ROWS', 'OF'],
    Object.entries(done.rows).map(([kind, number]) => [`${number}`, kind]),
  );
  console.log(`${count(done.files, 'file')} (${(done.bytes / 1e6).toFixed(1)} MB)`);
  if (jobs.length > 0) console.log('Without the audit and the events, which are a chain of all jobs.');
  if (done.underWay > 0) console.log(`Left out: ${done.underWay} runs and incidents that are not over.`);
  if (done.unreadable > 0) console.log(`Left out: ${count(done.unreadable, 'row')} that cannot be read.`);
  console.log(`All of it is in ${file}. To put it into another store: lamp import ${file}`);
}

/** `lamp import`: the history of such a file, beside what is there. */
export async function importFrom(home: Home, file: string, where: Where): Promise<void> {
  const done = await within(home, where, 'import', (store) => importHistory(store, file, home.person, Date.now()));
  if (where.json) return printJson({ file, ...done });
  printTable(
    ['NEW', 'NEWER', 'THERE', 'KEPT', 'OF'],
    Object.entries(done.rows).map(([kind, { added, newer, there, kept }]) => [
      ...[added, newer, there, kept].map(String),
      kind,
    ]),
  );
  const { files } = done;
  console.log(`${count(files.added, 'file')} new, ${files.there} there already`);
  const kept = Object.values(done.rows).reduce((sum, one) => sum + one.kept, 0);
  if (kept > 0) console.log(`KEPT: ${count(kept, 'row')} of the store differ from the file and were left as they are.`);
  if (files.kept > 0) console.log(`Left out: ${count(files.kept, 'file')} of runs that were kept.`);
  for (const id of done.brought) {
    console.log(`The audit of the file stands beside the store's own, as chain ${id}: lamp audit verify checks both.`);
  }
}

/** @throws Refusal: the store may not be read or written */
async function within<T>(
  home: Home,
  { account }: Where,
  what: 'export' | 'import',
  work: (store: KeptStore) => Promise<T>,
): Promise<T> {
  if (account !== undefined) {
    const { openAccountOf, refusedBy } = await import('../archive/place.ts');
    return work(openAccountOf(account)).catch((error) => {
      throw refusedBy(account, error, what);
    });
  }
  // A folder without a store gets one.
  const own = what === 'import' && process.env.LAMPLIGHTER_STORAGE === undefined;
  if (own && (await anyHost(home.state))) {
    throw new Refusal(`A host works in ${home.root}: end it first (Ctrl-C there), then import.`);
  }
  const opened = own ? await openFolder(home) : await openHere(home);
  try {
    if (what === 'import') await opened.store.prepare();
    return await work(opened.store);
  } finally {
    opened.close();
  }
}
