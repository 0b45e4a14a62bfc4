import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { AttemptSpec } from '../attempt.ts';
import { type AttemptRef, type Executor, StartError } from '../executor.ts';
import type { AttemptId } from '../store/attempts.ts';
import { isAlive, processHandle, terminate } from './pid.ts';

export interface ProcessOptions {
  /** The interpreter itself, not a version manager's stand-in: see findPython. */
  python: string;
  /** Folder of the shim, `infra/runtime/lamplighter_shim`. */
  shim: string;
  /** Where a shim's own last words go when it cannot deliver them; appended. */
  shimLog: string;
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
export function processExecutor({ python, shim, shimLog, ended }: ProcessOptions): ProcessExecutor {
  const children = new Set<ChildProcess>();

  return {
    name: 'process',
    startGraceMs: 30_000,
    needsSecretValues: true,
    image: null,
    running: () => children.size,
    async idle() {
      while (children.size > 0) await Promise.all([...children].map((child) => once(child, 'close')));
    },
    stopAll() {
      for (const child of children) child.kill('SIGTERM');
    },
    async start(spec) {
      const log = await open(shimLog, 'a');
      try {
        // A session of its own: Ctrl-C in the host's terminal must not reach the jobs, and they outlive a host that dies.
        const child = spawn(python, ['-I', '-S', shim], {
          detached: true,
          stdio: ['pipe', log.fd, log.fd],
          env: shimEnvironment(process.env),
        });
        children.add(child);
        child.once('close', () => {
          children.delete(child);
          ended({ job: spec.job, run: spec.run, attempt: spec.attempt });
        });
        await began(child, python);
        hand(child, spec);
        return await processHandle(child.pid ?? 0);
      } finally {
        await log.close();
      }
    },
    async status({ handle }) {
      return handle !== null && (await isAlive(handle)) ? 'running' : 'unknown';
    },
    async stop({ handle }: AttemptRef) {
      if (handle !== null) await terminate(handle);
    },
  };
}

async function began(child: ChildProcess, python: string): Promise<void> {
  try {
    await once(child, 'spawn');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new StartError('infrastructure', `${python} could not be started (${code})`, error);
  }
}

/** The spec goes through a pipe: an environment or a file could be read by the job. */
function hand(child: ChildProcess, spec: AttemptSpec): void {
  // A shim that dies before it has read it all is found by the watch.
  child.stdin?.on('error', () => {});
  child.stdin?.end(JSON.stringify(spec));
}

/** Only what a shim and uv need: the host's own credentials stay with the host. */
function shimEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const wanted =
    /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|UV_.*|(https?|no|all)_proxy)$/i;
  return Object.fromEntries(Object.entries(from).filter(([name]) => wanted.test(name)));
}
