import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { python, shim } from '../shim/shim.ts';
import type { Exit, Launched, Runner } from './arm-execution.ts';

/** Runs nothing: each execution ends when the test says so, or with 143 when it is stopped. */
export function handRunner(): Runner & { end(exit: Exit, name?: string): void; launched: Launched[] } {
  const waiting = new Map<string, (exit: Exit) => void>();
  const launched: Launched[] = [];
  const runner: Runner = (execution, stopped) => {
    launched.push(execution);
    return new Promise((resolve) => {
      waiting.set(execution.name, resolve);
      stopped.addEventListener('abort', () => resolve({ code: 143 }));
    });
  };
  return Object.assign(runner, {
    launched,
    end(exit: Exit, name = launched.at(-1)?.name ?? '') {
      waiting.get(name)?.(exit);
    },
  });
}

export interface ShimRunnerOptions {
  /** More environment for the shim than its execution has, such as certificates. */
  env?: Record<string, string>;
  /** Gets what a shim said on stderr before it left with that code. */
  said?: (text: string, code: number, execution: Launched) => void;
}

/** Runs the real shim as a process, with the environment of its execution and nothing else. Stopping sends SIGTERM. */
export function shimRunner({ env = {}, said }: ShimRunnerOptions = {}): Runner {
  return async (execution, stopped) => {
    const child = spawn(python, ['-I', '-S', shim], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env, ...execution.env },
    });
    const stop = () => child.kill('SIGTERM');
    if (stopped.aborted) stop();
    stopped.addEventListener('abort', stop);
    const [[code, signal], last] = await Promise.all([once(child, 'close'), text(child.stderr)]);
    const exit = code ?? 128 + constants.signals[signal as NodeJS.Signals];
    said?.(last, exit, execution);
    return { code: exit };
  };
}
