import { createHash } from 'node:crypto';
import type { Emit } from '../../shared/events.ts';
import type { DockerExecutor } from '../../shared/executors/docker/docker.ts';
import { type StoreProxy, storeProxy, storeProxyFolder } from '../../shared/executors/docker/store-proxy.ts';
import { StartError } from '../../shared/executors/executor.ts';
import type { Catalog } from '../../shared/job/catalog.ts';
import { replayJob } from '../../shared/run/replay.ts';
import { isReplay } from '../../shared/run/run.ts';
import type { AttemptId } from '../../shared/store/attempts.ts';
import { attemptFolder } from '../../shared/store/embedded/attempts.ts';
import type { Home } from '../home.ts';

export const defaultImage = 'lamplighter-runtime';

export interface DockerHere {
  home: Home;
  /** Of the account where the store is one; null: it is a folder, and containers get their part of it. */
  connection: string | null;
  image: string;
  catalog: () => Catalog;
  emit: Emit;
  ended: (attempt: AttemptId) => unknown;
}

/** The Docker executor of this machine. The client is loaded, and the way to the store opened, when they are needed. */
export function dockerHere(here: DockerHere): DockerExecutor {
  const blobs = /BlobEndpoint=(http:[^;]+)/.exec(here.connection ?? '')?.[1];
  const folder = blobs === undefined ? null : storeProxyFolder(here.home.root);
  let loaded: DockerExecutor | undefined;
  let loading: Promise<DockerExecutor> | undefined;
  let way: Promise<StoreProxy> | undefined;

  function load(): Promise<DockerExecutor> {
    loading ??= make(here, folder).then((executor) => {
      loaded = executor;
      return executor;
    });
    return loading;
  }

  /** For the one that hosts jobs, not for a command that looks at them. */
  async function host(): Promise<DockerExecutor> {
    if (folder !== null && blobs !== undefined) {
      way ??= storeProxy(folder, blobs);
      await way;
    }
    return load();
  }

  return {
    name: 'docker',
    startGraceMs: 60_000,
    needsSecretValues: true,
    get image() {
      return loaded?.image ?? null;
    },
    running: () => loaded?.running() ?? 0,
    idle: async () => loaded?.idle(),
    stopAll: () => loaded?.stopAll(),
    adopt: async () => (await host()).adopt(),
    start: async (spec) => (await host()).start(spec),
    status: async (attempt) => (await load()).status(attempt),
    stop: async (attempt) => (await load()).stop(attempt),
    async close() {
      await loaded?.close();
      await (await way)?.close();
    },
  };
}

async function make({ home, connection, image, catalog, emit, ended }: DockerHere, folder: string | null) {
  const [{ default: Docker }, { dockerExecutor }] = await Promise.all([
    import('dockerode'),
    import('../../shared/executors/docker/docker.ts'),
  ]);
  return dockerExecutor({
    docker: new Docker(),
    image,
    home: createHash('sha256').update(home.root).digest('hex').slice(0, 12),
    storeProxyFolder: folder,
    ...(connection === null && { attemptFolder: (attempt) => attemptFolder(home.state, attempt) }),
    limits({ job: name, run }) {
      const deployed = catalog().get(name);
      const job = deployed && (isReplay({ id: run }) ? replayJob(deployed) : deployed.job);
      if (!job) throw new StartError('configuration', `the job ${name} is not here any more`);
      return job;
    },
    shimLog: home.shimLog,
    ended,
    trouble: (error) => emit({ type: 'trouble', doing: 'looking after containers', error }),
  });
}
