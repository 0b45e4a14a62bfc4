import { join } from 'node:path';
import type { Emit } from '../../shared/events.ts';
import type { DockerExecutor } from '../../shared/executors/docker/docker.ts';
import type { Executor } from '../../shared/executors/executor.ts';
import { nudges } from '../../shared/executors/nudge.ts';
import { processExecutor } from '../../shared/executors/process/process.ts';
import { findPython } from '../../shared/executors/process/python.ts';
import type { Catalog } from '../../shared/job/catalog.ts';
import type { Isolation } from '../../shared/job/isolation.ts';
import type { Job } from '../../shared/job/job.ts';
import type { Parts } from '../../shared/parts.ts';
import { localVault } from '../../shared/secrets/local.ts';
import type { AttemptId } from '../../shared/store/attempts.ts';
import type { Home } from '../home.ts';
import { dockerHere } from './docker.ts';
import { defaultImage } from './image-name.ts';
import type { OpenStore } from './store.ts';

export interface LocalParts extends Parts {
  executor: Executor & Work;
  /** The attempts of all executors that this process started, or took over. */
  work: Work;
  docker: DockerExecutor;
}

export interface Work {
  running(): number;
  /** Resolves when none of them is left. */
  idle(): Promise<void>;
  /** Asks all of them to end. */
  stopAll(): void;
}

export interface LocalOptions {
  /** Chosen once, by the one that opened it. */
  opened: OpenStore;
  catalog: () => Catalog;
  emit: Emit;
  /** A container is kept until this has settled. */
  ended: (attempt: AttemptId) => unknown;
  /** The interpreter that starts shims; not given, it is looked for. A command starts none. */
  python?: string;
  /** What runs a job that does not say so itself. */
  executor?: NonNullable<Job['executor']>;
  /** What containers are made of. */
  image?: string;
  /** What keeps jobs apart from this machine. A command starts none. */
  isolation?: Isolation;
}

/** Puts the service together for one machine. */
export async function composeLocal(home: Home, options: LocalOptions): Promise<LocalParts> {
  const { opened, catalog, emit, ended, python = await findPython(), image = defaultImage } = options;
  const { store } = opened;
  const executors = {
    process: processExecutor({ python, shim: home.shim, shimLog: home.shimLog, ended }),
    docker: dockerHere({ home, image, catalog, emit, ended }),
  };
  return {
    store,
    catalog,
    executor: executors[options.executor ?? 'process'],
    executors: new Map<string, Executor>(Object.entries(executors)),
    docker: executors.docker,
    work: together(Object.values(executors)),
    vault: localVault({ file: home.secrets, repository: home.root, keyFile: join(home.state, 'versions.key') }),
    emit,
    // The host sees its own shims end; those of a host that died are found by the watch.
    settings: {
      nudges: nudges(null, () => store.keys('nudge')),
      cache: home.cache,
      ...(options.isolation && { isolation: options.isolation }),
    },
    person: home.person,
  };
}

function together(all: Work[]): Work {
  return {
    running: () => all.reduce((sum, one) => sum + one.running(), 0),
    async idle() {
      await Promise.all(all.map((one) => one.idle()));
    },
    stopAll() {
      for (const one of all) one.stopAll();
    },
  };
}
