import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { hereOf } from '../../../cli/here.ts';
import { call } from './console.ts';

const root = join(import.meta.dirname, '../../..');
const program = join(root, 'cli', 'lamp.mjs');

export interface Said {
  code: number | null;
  stdout: string;
  stderr: string;
  ms: number;
}

/** A folder with jobs, and the built `lamp` for it. */
export interface Lamp {
  home: string;
  /** Writes `jobs/<name>/` with a script; `more` is the end of its manifest. */
  job(name: string, script: string, more?: string): Promise<void>;
  /** Runs a command to its end within this process, one after the other: to start another takes half a second. */
  lamp(args: string[], environment?: Record<string, string>): Promise<Said>;
  /** The same in a process of its own: for its streams, its exit, or `lamp start`. */
  process(args: string[], options?: { stdin?: string; env?: Record<string, string> }): Promise<Said>;
  /** Runs a command with `--json`, which must succeed, and reads what it printed. */
  json<T = Json>(args: string[]): Promise<T>;
  /** Starts a command and leaves it running. */
  begin(args: string[], env?: Record<string, string>): Running;
  /** Starts a host and waits until it is ready. */
  start(args?: string[]): Promise<Running>;
  /** Process ids that belong to this folder: hosts, the store, shims. */
  processes(): Promise<number[]>;
  /** Ends everything and removes the folder. */
  clean(): Promise<void>;
}

export interface Running {
  child: ChildProcess;
  pid: number;
  /** Everything it has said so far. */
  said(): string;
  ended: Promise<Said>;
}

// biome-ignore lint/suspicious/noExplicitAny: what the program prints is judged by the test that reads it
export type Json = any;

/** Builds the program unless it is fresh. @returns its file */
export async function builtLamp(): Promise<string> {
  await promisify(execFile)(process.execPath, [join(root, 'cli', 'setup.mjs')]);
  return program;
}

/** An empty folder for the program. */
export async function lampHome(): Promise<Lamp> {
  await builtLamp();
  const home = await mkdtemp(join(tmpdir(), 'lamp-'));
  await mkdir(join(home, 'jobs'));
  const all: Running[] = [];

  function begin(args: string[], env: Record<string, string> = {}): Running {
    const began = performance.now();
    const environment = { ...process.env, ...unset, ...env };
    const child = spawn(process.execPath, [program, '--home', home, ...args], { env: environment });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        texts[name] += text;
      });
    }
    const ended = once(child, 'close').then(([code]) => ({ code, ...texts, ms: performance.now() - began }) as Said);
    const running = { child, pid: child.pid ?? 0, said: () => texts.stdout + texts.stderr, ended };
    all.push(running);
    return running;
  }

  /** The console is one. */
  let last: Promise<unknown> = Promise.resolve();
  function alone(args: string[], environment: Record<string, string>): Promise<Said> {
    const next = last.then(async () => {
      const wanted = { ...unset, ...environment };
      const before = Object.fromEntries(Object.keys(wanted).map((name) => [name, process.env[name]]));
      const began = performance.now();
      setAll(wanted);
      try {
        const said = await call(['--home', home, ...args], hereOf);
        return { ...said, ms: performance.now() - began };
      } finally {
        setAll(before);
      }
    });
    last = next.catch(() => {});
    return next;
  }

  const here: Lamp = {
    home,
    begin,
    async job(name, script, more = '') {
      const folder = join(home, 'jobs', name);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'main.py'), script);
      await writeFile(join(folder, 'README.md'), `# ${name}\n`);
      const run = more.includes('run:') ? '' : 'run: { command: [python, main.py] }\n';
      await writeFile(join(folder, 'job.yaml'), `${manifest}${run}${more}`);
    },
    lamp: (args, environment = {}) => alone(args, environment),
    async process(args, { stdin, env } = {}) {
      const running = begin(args, env);
      running.child.stdin?.end(stdin ?? '');
      return running.ended;
    },
    async json(args) {
      const { code, stdout, stderr } = await here.lamp([...args, '--json']);
      if (code !== 0) throw new Error(`lamp ${args.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    async start(args = []) {
      const running = begin(['start', '--port', '0', ...args]);
      await until('the host is ready', () => {
        if (running.child.exitCode !== null) throw new Error(`the host ended: ${running.said()}`);
        return running.said().includes('Ctrl-C ends it');
      });
      return running;
    },
    async processes() {
      const text = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' });
      const pids = text
        .split('\n')
        .filter((line) => line.includes(home))
        .map((line) => Number.parseInt(line, 10));
      return pids.filter((pid) => pid > 0);
    },
    async clean() {
      for (const { child } of all) if (child.exitCode === null) child.kill('SIGKILL');
      for (const pid of await here.processes()) process.kill(pid, 'SIGKILL');
      await Promise.all(all.map(({ ended }) => ended));
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return here;
}

/** What the one who runs the tests may have set. */
const unset = {
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  LAMPLIGHTER_STORAGE: undefined,
  LAMPLIGHTER_HOME: undefined,
};

function setAll(variables: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

const manifest = `description: Does something for a test.
owner: { email: dana@contoso.com, department: Sales }
tier: low-risk
data: internal
builtWith: { tool: by hand, version: "1" }
status: production
`;

type Found<T> = Exclude<T, false | undefined | null | '' | 0>;

/** Looks until the condition gives something. @throws Error naming what was waited for */
export async function until<T>(what: string, condition: () => T | Promise<T>, patience = 20_000): Promise<Found<T>> {
  for (const deadline = Date.now() + patience; ; ) {
    const began = Date.now();
    const found = await condition();
    if (found) return found as Found<T>;
    if (Date.now() > deadline) throw new Error(`in vain, for ${patience / 1_000} s: ${what}`);
    // A look that is a process leaves half of the processor to what it looks at.
    await sleep(Math.max(50, Date.now() - began));
  }
}
