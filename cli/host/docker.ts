import { createHash } from 'node:crypto';
import type { Emit } from '../../shared/events.ts';
import type { DockerExecutor } from '../../shared/executors/docker/docker.ts';
import { StartError } from '../../shared/executors/executor.ts';
import type { Catalog } from '../../shared/job/catalog.ts';
import { replayJob } from '../../shared/run/replay.ts';
import { isReplay } from '../../shared/run/run.ts';
import type { AttemptId } from '../../shared/store/attempts.ts';
import { attemptFolder } from '../../shared/store/embedded/attempts.ts';
import type { Home } from '../home.ts';

export interface DockerHere {
  home: Home;
  image: string;
  catalog: () => Catalog;
  emit: Emit;
  ended: (attempt: AttemptId) => unknown;
}

/** The Docker executor of this machine. Its client is loaded when it is needed. */
export function dockerHere(here: DockerHere): DockerExecutor {
  let loaded: DockerExecutor | undefined;
  let loading: Promise<DockerExecutor> | undefined;

  function load(): Promise<DockerExecutor> {
    loading ??= make(here).then((executor) => {
      loaded = executor;
      return executor;
    });
    return loading;
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
    adopt: async () => (await load()).adopt(),
    start: async (spec) => (await load()).start(spec),
    status: async (attempt) => (await load()).status(attempt),
    stop: async (attempt) => (await load()).stop(attempt),
    close: async () => loaded?.close(),
  };
}

async function make({ home, image, catalog, emit, ended }: DockerHere) {
  const [{ default: Docker }, { dockerExecutor }] = await Promise.all([
    import('dockerode'),
    import('../../shared/executors/docker/docker.ts'),
  ]);
  return dockerExecutor({
    docker: new Docker(),
    image,
    home: createHash('sha256').update(home.root).digest('hex').slice(0, 12),
    attemptFolder: (attempt) => attemptFolder(home.state, attempt),
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
