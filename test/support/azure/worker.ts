import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A function as the host hears of it. */
export interface Registered {
  name: string;
  bindings: Record<string, { type: string; direction: string; [setting: string]: unknown }>;
}

export interface Answer {
  lines: { level: string; category: string; line: string }[];
  error?: string;
  returnValue?: { http?: { statusCode: string; headers: Record<string, string>; body?: { bytes?: unknown } } };
}

/** Typed data, as the host sends it to the worker. */
export type Data = { json: string } | { string: string } | { http: object };

export interface Call {
  name: string;
  data: Data;
  traceParent?: string;
  triggerMetadata?: Record<string, Data>;
}

export interface Worker {
  functions: Registered[];
  /** What loading the app took, ms. */
  loadMs: number;
  /** The app threw while it was loaded. */
  failure: string | null;
  pid: number;
  invoke(call: Call): Promise<Answer>;
  /** Ends it, as the platform does: without a word. */
  kill(): Promise<void>;
}

const program = join(import.meta.dirname, 'worker-process.cjs');

/** @param folder the package; @param env all that it sees, but for PATH */
export async function startWorker(
  folder: string,
  env: Record<string, string> = {},
  flags: string[] = [],
): Promise<Worker> {
  const child = fork(program, [folder], {
    env: { PATH: process.env.PATH ?? '', ...env },
    execArgv: flags,
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [{ functions, ms, failure }] = await once(child, 'message');
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  child.on('message', ({ id, ...answer }: Answer & { id: number }) => {
    waiting.get(id)?.resolve(answer);
    waiting.delete(id);
  });
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`the worker has ended (${code ?? signal})`));
    waiting.clear();
  });
  let calls = 0;
  return {
    functions,
    loadMs: ms,
    failure,
    pid: child.pid ?? 0,
    invoke(call) {
      const id = calls++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        child.send({ id, ...call });
      });
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

export const timer: Data = { json: '{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}' };
