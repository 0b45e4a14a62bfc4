import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { attemptOf, label } from '../../shared/executors/docker/container.ts';
import { buildImage } from '../../shared/executors/docker/image.ts';
import { baseImage } from '../support/docker/docker-base.ts';

export const image = 'lamplighter-faults';
/** Where jobs in containers find the socket for their marks: in the folder of their attempt. */
export const marksInside = '/run/lamplighter/marks.sock';

/** A Docker daemon of the harness's own, and the containers that run on it. */
export class Boxes {
  readonly socket: string;
  readonly #folder: string;
  readonly #docker: Docker;
  #daemon: ChildProcess | undefined;
  #marks: Server | undefined;
  #restart = Promise.resolve();

  private constructor(folder: string) {
    this.#folder = folder;
    this.socket = join(folder, 'docker.sock');
    this.#docker = new Docker({ socketPath: this.socket });
  }

  static async open(): Promise<Boxes> {
    const boxes = new Boxes(await mkdtemp(join(tmpdir(), 'lamp-boxes-')));
    await boxes.start();
    const base = await baseImage(boxes.#docker);
    const runtime = join(import.meta.dirname, '../../infra/runtime');
    await buildImage(boxes.#docker, { base, tag: image, runtime, uv: null, say: () => {} });
    return boxes;
  }

  /** Takes the marks of jobs, which see nothing of this machine's disk: a line each, answered when it is written. */
  async takeMarks(socket: string, marks: string): Promise<void> {
    this.#marks = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (line) => {
        appendFileSync(marks, line);
        socket.end('ok');
      });
    }).listen(socket);
    await once(this.#marks, 'listening');
    await chmod(socket, 0o666);
  }

  /** In a network of its own, as it would take the bridge of another daemon away. */
  async start(): Promise<void> {
    const at = (name: string) => join(this.#folder, name);
    const places = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
    const flags = ['--host', `unix://${this.socket}`, '--bridge', 'none', '--iptables=false', ...places];
    this.#daemon = spawn('unshare', ['--net', 'dockerd', ...flags], { stdio: 'ignore' });
    const daemon = this.#daemon;
    while (!(await this.answers())) {
      if (daemon.exitCode !== null) throw new Error(`dockerd has ended with ${daemon.exitCode}: run it by hand to see`);
      await sleep(100);
    }
  }

  answers(): Promise<boolean> {
    return this.#docker.ping().then(
      () => true,
      () => false,
    );
  }

  /** Away for a while; what ran in containers is ended by it, at the latest when it comes back. */
  async restart(signal: NodeJS.Signals, awayMs: number): Promise<void> {
    this.#restart = this.#end(signal)
      .then(() => sleep(awayMs))
      .then(() => this.start());
    await this.#restart;
  }

  /** Resolves when a restart that is under way is over. */
  back(): Promise<void> {
    return this.#restart;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = once(daemon, 'exit');
    daemon.kill(signal);
    await ended;
  }

  /** Attempts whose containers run right now, as marks name them. */
  async running(): Promise<{ mark: string; box: Docker.Container }[]> {
    const filters = { label: [label.job], status: ['running'] };
    return (await this.#docker.listContainers({ filters })).flatMap(({ Id, Labels }) => {
      const id = attemptOf(Labels);
      return id ? [{ mark: `${id.job}.${id.run} ${id.attempt}`, box: this.#docker.getContainer(Id) }] : [];
    });
  }

  /** Names of all containers, whatever their state. */
  async all(): Promise<string[]> {
    return (await this.#docker.listContainers({ all: true })).map(({ Names, State }) => `${Names[0]} ${State}`);
  }

  async close(): Promise<void> {
    this.#marks?.close();
    for (const { Id } of await this.#docker.listContainers({ all: true }).catch(() => [])) {
      await this.#docker
        .getContainer(Id)
        .remove({ force: true })
        .catch(() => {});
    }
    await this.#end('SIGTERM');
    await this.#endOrphans();
    await this.#unmount();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** A daemon that was killed leaves behind what stood above its containers, reported by the address of its socket. */
  async #endOrphans(): Promise<void> {
    const address = join(this.#folder, 'exec/containerd/containerd.sock');
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const [program = '', ...rest] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      if (!program.includes('containerd-shim') || !rest.includes(address)) continue;
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
  }

  /** And mounts. */
  async #unmount(): Promise<void> {
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
    for (const place of mounts.filter((one) => one.startsWith(this.#folder)).reverse()) {
      execFileSync('umount', ['-l', place]);
    }
  }
}
