import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { AttemptSpec } from '../../run/attempt.ts';
import { StartError } from '../executor.ts';
import { isAlive, processHandle } from './pid.ts';

export interface PreforkOptions {
  /** The interpreter itself, not a version manager's stand-in: see findPython. */
  python: string;
  /** Folder of the shim, `infra/runtime/lamplighter_shim`. */
  shim: string;
  /** Where a shim's own last words go when it cannot deliver them; appended. */
  shimLog: string;
}

/** Forks shims from a Python process that has everything loaded: a start costs 1 ms, not 100. */
export interface Prefork {
  /** Resolves once the shim is there. @throws StartError */
  start(spec: AttemptSpec): Promise<Shim>;
}

export interface Shim {
  /** See processHandle. */
  handle: string;
  /** Resolves when the process is gone, with or without a result. Never rejects. */
  ended: Promise<void>;
}

/** The Python process is started at the first need, and again when it has died; its shims do not die with it. */
export function prefork(options: PreforkOptions): Prefork {
  let brood: Brood | undefined;
  return {
    async start(spec) {
      const text = Buffer.from(JSON.stringify(spec));
      for (let again = true; ; again = false) {
        if (brood === undefined || brood.dead()) brood = openBrood(options);
        try {
          return await brood.fork(text);
        } catch (error) {
          // It hardly forked before it died; and should it have, only one shim gets to run the attempt.
          if (!(error instanceof Died) || !again) throw error;
        }
      }
    },
  };
}

/** One Python process, from its start to its death. */
interface Brood {
  dead(): boolean;
  fork(text: Buffer): Promise<Shim>;
}

class Died extends StartError {}

/** What the Python side says; see prefork.py. */
const answer = z.union([
  z.object({ started: z.int(), pid: z.int().positive() }),
  z.object({ refused: z.int(), why: z.string() }),
  z.object({ ended: z.int(), code: z.int() }),
]);

/** How often shims are looked at whose prefork server has died, as no one reports their ends, ms. */
const lookEvery = 250;

function openBrood({ python, shim, shimLog }: PreforkOptions): Brood {
  const asked = new Map<number, PromiseWithResolvers<Shim>>();
  const alive = new Map<number, { handle: Promise<string>; ended: PromiseWithResolvers<void> }>();
  let died: Died | undefined;
  let number = 0;
  const child = launch();
  const [asking, heard] = [child.stdin as Socket, child.stdout as Socket];
  // An idle prefork server must not keep this process from ending; the end of its stdin then ends it, too.
  child.unref();
  asking.unref();
  asking.on('error', () => {});
  child.once('error', (error: NodeJS.ErrnoException) => bury(`${python} could not be started (${error.code})`));
  child.once('close', (code, signal) => bury(`what starts the shims ended (${signal ?? code}): ${shimLog} says why`));
  createInterface({ input: heard }).on('line', (line) => {
    try {
      hear(line);
    } catch {
      child.kill('SIGKILL');
    }
  });

  function launch() {
    const log = openSync(shimLog, 'a');
    try {
      // A session of its own: Ctrl-C in the host's terminal must not reach it or the jobs.
      return spawn(python, ['-I', '-S', shim, '--prefork'], {
        detached: true,
        stdio: ['pipe', 'pipe', log],
        env: shimEnvironment(process.env),
      });
    } finally {
      closeSync(log);
    }
  }

  function hear(line: string) {
    const said = answer.parse(JSON.parse(line));
    if ('started' in said) {
      const handle = processHandle(said.pid);
      const ended = Promise.withResolvers<void>();
      alive.set(said.started, { handle, ended });
      asked.get(said.started)?.resolve(handle.then((text) => ({ handle: text, ended: ended.promise })));
      asked.delete(said.started);
    } else if ('refused' in said) {
      asked.get(said.refused)?.reject(new StartError('infrastructure', said.why));
      asked.delete(said.refused);
    } else {
      alive.get(said.ended)?.ended.resolve();
      alive.delete(said.ended);
    }
    if (asked.size + alive.size === 0) heard.unref();
  }

  function bury(message: string) {
    if (died) return;
    died = new Died('infrastructure', message);
    for (const { reject } of asked.values()) reject(died);
    for (const { handle, ended } of alive.values()) void handle.then(follow).then(ended.resolve);
  }

  return {
    dead: () => died !== undefined,
    fork(text) {
      const start = Promise.withResolvers<Shim>();
      asked.set(++number, start);
      heard.ref();
      const header = Buffer.alloc(8);
      header.writeUInt32BE(number, 0);
      header.writeUInt32BE(text.length, 4);
      // Through a pipe: an environment or a file could be read by the job.
      asking.write(Buffer.concat([header, text]));
      return start.promise;
    },
  };
}

async function follow(handle: string): Promise<void> {
  while (await isAlive(handle)) await sleep(lookEvery);
}

/** Only what a shim and uv need: the host's own credentials stay with the host. */
function shimEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const wanted =
    /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|UV_.*|(https?|no|all)_proxy)$/i;
  return Object.fromEntries(Object.entries(from).filter(([name]) => wanted.test(name)));
}
