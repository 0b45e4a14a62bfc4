import type { Alerts } from './alerts/alerts.ts';
import type { Emit } from './events.ts';
import type { Executor } from './executors/executor.ts';
import type { Nudges } from './executors/nudge.ts';
import type { Catalog } from './job/catalog.ts';
import type { Isolation } from './job/isolation.ts';
import type { Vault } from './secrets/vault.ts';
import type { Store } from './store/store.ts';

/** What the pipeline works with; put together once, at start-up, for one machine or for Azure. */
export interface Parts {
  store: Store;
  /** Read anew on each use: it changes when a job folder does. */
  catalog: () => Catalog;
  executor: Executor;
  /** Those that a job may ask for, by their names; left out: only the one above. */
  executors?: ReadonlyMap<string, Executor>;
  /** As many attempts may run at once, of all jobs and on all hosts; left out: each host sees to its own number. */
  limit?: number;
  vault: Vault;
  emit: Emit;
  settings: Settings;
  /** Left out: incidents are kept and shown, and nothing is sent. */
  alerts?: Alerts;
  /** Who this process acts for in the audit: a host's name, a user. */
  person: string;
}

/** The same, with the executor of that name where there is one; null: as it is. */
export function onExecutor(parts: Parts, name: string | null): Parts {
  const executor = name === null ? undefined : parts.executors?.get(name);
  return executor ? { ...parts, executor } : parts;
}

export interface Settings {
  /** How shims report a finished attempt, and how such a report is checked. */
  nudges: Nudges;
  /** Directory for bundles and environments that shims may share; null: none. */
  cache: string | null;
  /** What keeps jobs apart from the machine; left out: the executor alone. */
  isolation?: Isolation;
}
