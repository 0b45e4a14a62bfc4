import type Docker from 'dockerode';
import type { Launched, Runner } from '../arm/arm-execution.ts';

export interface ContainerRunnerOptions {
  docker: Docker;
  /** What the digest of an execution's image stands for here. */
  image: string;
  /** Files that are there beside what the image has: `/host/path:/container/path:ro`. */
  binds?: string[];
  /** More environment than the execution has, such as certificates. */
  env?: Record<string, string>;
  ended?: (execution: Launched, code: number) => void;
}

/** Runs each execution as Container Apps does: the image's own entry point in a container, with its environment. */
export function containerRunner({ docker, image, binds = [], env = {}, ended }: ContainerRunnerOptions): Runner {
  return async (execution, stopped) => {
    const container = await docker.createContainer({
      Image: image,
      Env: Object.entries({ ...env, ...execution.env }).map(([name, value]) => `${name}=${value}`),
      HostConfig: {
        NetworkMode: 'host',
        Binds: binds,
        Memory: Number.parseFloat(execution.memory) * 1024 ** 3,
        CpuPeriod: 100_000,
        CpuQuota: execution.cpu * 100_000,
      },
    });
    const stop = () => void container.kill({ signal: 'SIGTERM' }).catch(() => {});
    stopped.addEventListener('abort', stop);
    try {
      await container.start();
      if (stopped.aborted) stop();
      const { StatusCode: code } = (await container.wait()) as { StatusCode: number };
      ended?.(execution, code);
      return { code };
    } finally {
      stopped.removeEventListener('abort', stop);
      await container.remove({ force: true });
    }
  };
}
