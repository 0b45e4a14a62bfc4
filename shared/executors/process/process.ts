import type { AttemptId } from '../../store/attempts.ts';
import type { AttemptRef, Executor } from '../executor.ts';
import { isAlive, terminate } from './pid.ts';
import { type PreforkOptions, prefork, type Shim } from './prefork.ts';

export interface ProcessOptions extends PreforkOptions {
  /** Called when a shim that this process started is gone, with or without a result. */
  ended: (attempt: AttemptId) => void;
}

export interface ProcessExecutor extends Executor {
  /** Shims started by this process that are still there. */
  running(): number;
  /** Resolves when none of them is left. */
  idle(): Promise<void>;
  /** Asks all of them to end. */
  stopAll(): void;
}

/** Runs each attempt as a plain process of this machine: no isolation, no overhead. For one machine and for tests. */
export function processExecutor({ ended, ...options }: ProcessOptions): ProcessExecutor {
  const shims = prefork(options);
  /** From the wish to start one until its end. */
  const ours = new Map<Promise<Shim>, Promise<void>>();

  async function follow(starting: Promise<Shim>, { job, run, attempt }: AttemptId): Promise<void> {
    const shim = await starting.catch(() => undefined);
    await shim?.ended;
    ours.delete(starting);
    if (shim) ended({ job, run, attempt });
  }

  return {
    name: 'process',
    startGraceMs: 30_000,
    needsSecretValues: true,
    image: null,
    running: () => ours.size,
    async idle() {
      while (ours.size > 0) await Promise.all(ours.values());
    },
    stopAll() {
      for (const starting of ours.keys()) void starting.then(({ handle }) => terminate(handle)).catch(() => {});
    },
    async start(spec) {
      const starting = shims.start(spec);
      ours.set(starting, follow(starting, spec));
      return (await starting).handle;
    },
    async status({ handle }) {
      return handle !== null && (await isAlive(handle)) ? 'running' : 'unknown';
    },
    async stop({ handle }: AttemptRef) {
      if (handle !== null) await terminate(handle);
    },
  };
}
