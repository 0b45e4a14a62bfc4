import { join } from 'node:path';
import type { Catalog } from '../shared/catalog.ts';
import { type ProcessExecutor, processExecutor } from '../shared/executors/process.ts';
import { findPython } from '../shared/executors/python.ts';
import type { Journal } from '../shared/journal.ts';
import type { Parts } from '../shared/parts.ts';
import { localVault } from '../shared/secrets/local.ts';
import type { AttemptId } from '../shared/store/attempts.ts';
import { openStore } from '../shared/store/store.ts';
import type { Home } from './home.ts';

export interface LocalParts extends Parts {
  executor: ProcessExecutor;
}

export interface LocalOptions {
  connection: string;
  catalog: () => Catalog;
  journal: Journal;
  ended: (attempt: AttemptId) => void;
  /** The interpreter that starts shims; not given, it is looked for. A command starts none. */
  python?: string;
}

/** Puts the service together for one machine. */
export async function composeLocal(home: Home, options: LocalOptions): Promise<LocalParts> {
  const { connection, catalog, journal, ended, python = await findPython() } = options;
  return {
    store: openStore(connection),
    catalog,
    executor: processExecutor({ python, shim: home.shim, shimLog: home.shimLog, ended }),
    vault: localVault({ file: home.secrets, repository: home.root, keyFile: join(home.state, 'versions.key') }),
    journal,
    // The host sees its own shims end; those of a host that died are found by the watch.
    settings: { nudge: null, cache: home.cache },
    person: home.person,
  };
}
