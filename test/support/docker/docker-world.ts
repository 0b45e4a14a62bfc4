import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type Docker from 'dockerode';
import { containerName, type Limits } from '../../../shared/executors/docker/container.ts';
import { type DockerExecutor, type DockerOptions, dockerExecutor } from '../../../shared/executors/docker/docker.ts';
import type { AttemptSpec } from '../../../shared/run/attempt.ts';
import type { AttemptId } from '../../../shared/store/attempts.ts';
import { Folder } from '../shim/folder.ts';
import type { Files, Left } from '../shim/shim.ts';

const mega = 1024 ** 2;
export const usual: Limits = {
  cpu: 1,
  memoryBytes: 256 * mega,
  scratchBytes: 64 * mega,
  pids: 64,
  network: 'none',
  graceMs: 300,
};

/** An installation of its own on a daemon: its store, which is a folder, and its containers. */
export class Yard {
  readonly home = `t${randomBytes(5).toString('hex')}`;
  readonly docker: Docker;
  readonly store: Folder;
  readonly folder: string;
  readonly image: string;
  /** What was reported ends, and what failed on the way, of all hosts. */
  readonly ends: AttemptId[] = [];
  readonly troubles: unknown[] = [];
  readonly limits = new Map<string, Limits>();
  private readonly waiting = new Map<string, () => void>();
  private readonly hosts = new Set<DockerExecutor>();
  private readonly victims = new Set<ChildProcess>();

  private constructor(docker: Docker, image: string, store: Folder, folder: string) {
    this.docker = docker;
    this.image = image;
    this.store = store;
    this.folder = folder;
  }

  static async create(docker: Docker, image: string): Promise<Yard> {
    return new Yard(docker, image, await Folder.create('store'), await mkdtemp(join(tmpdir(), 'yard-')));
  }

  get shimLog(): Promise<string> {
    return readFile(join(this.folder, 'shim.log'), 'utf8').catch(() => '');
  }

  host(over: Partial<DockerOptions> = {}): DockerExecutor {
    const executor = dockerExecutor({
      docker: this.docker,
      image: this.image,
      home: this.home,
      attemptFolder: ({ job, run, attempt }) => join(this.store.root, job, run, `${attempt}`),
      limits: ({ job }) => this.limits.get(job) ?? usual,
      shimLog: join(this.folder, 'shim.log'),
      ended: (attempt) => {
        this.ends.push(attempt);
        this.waiting.get(name(attempt))?.();
      },
      trouble: (error) => this.troubles.push(error),
      ...over,
    });
    this.hosts.add(executor);
    return executor;
  }

  /** Resolves when a host is reported this attempt's end from now on. */
  endOf(attempt: AttemptId): Promise<void> {
    return new Promise((resolve) => this.waiting.set(name(attempt), resolve));
  }

  /** A specification of a job of its own, with limits of its own. */
  async spec(
    files: Files | string,
    { limits, ...over }: Parameters<Folder['spec']>[1] & { limits?: Partial<Limits> } = {},
  ): Promise<AttemptSpec> {
    const job = `job-${this.limits.size}`;
    this.limits.set(job, { ...usual, ...limits });
    return this.store.spec(files, { job, ...over });
  }

  /** Runs an attempt to its end and reads what it has left. */
  async run(executor: DockerExecutor, spec: AttemptSpec): Promise<Left> {
    const over = this.endOf(spec);
    await executor.start(spec);
    await over;
    return this.store.left(spec);
  }

  /** Starts the attempt from a host of its own, which is then there until it is killed. */
  async startElsewhere(spec: AttemptSpec): Promise<{ handle: string; victim: ChildProcess }> {
    const victim = spawn(process.execPath, [join(import.meta.dirname, 'docker-host.ts')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.victims.add(victim);
    const { home, image, store, folder } = this;
    const shimLog = join(folder, 'shim.log');
    victim.stdin.end(JSON.stringify({ spec, root: store.root, image, home, shimLog, limits: usual }));
    const [line] = await once(victim.stdout, 'data');
    return { handle: String(line).trim(), victim };
  }

  /** The same, and the host is killed at once. */
  async startAndDie(spec: AttemptSpec): Promise<string> {
    const { handle, victim } = await this.startElsewhere(spec);
    victim.kill('SIGKILL');
    await once(victim, 'exit');
    return handle;
  }

  container(spec: AttemptSpec): Docker.Container {
    return this.docker.getContainer(containerName(this.home, spec));
  }

  /** Names of all containers of this installation, whatever their state. */
  async containers(): Promise<string[]> {
    const filters = { label: [`lamplighter.home=${this.home}`] };
    const found = await this.docker.listContainers({ all: true, filters });
    return found.map(({ Names }) => Names[0]?.slice(1) ?? '');
  }

  async close(): Promise<void> {
    for (const victim of this.victims) victim.kill('SIGKILL');
    for (const host of this.hosts) await host.close();
    for (const left of await this.containers().catch(() => [])) {
      await this.docker.getContainer(left).remove({ force: true });
    }
    await rm(dirname(this.store.root), { recursive: true, force: true });
    await rm(this.folder, { recursive: true, force: true });
  }
}

function name({ job, run, attempt }: AttemptId): string {
  return `${job}.${run}.${attempt}`;
}
