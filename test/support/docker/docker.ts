import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { inject } from 'vitest';
import { buildImage } from '../../../shared/executors/docker/image.ts';
import { until } from '../shim/shim.ts';
import { baseImage } from './docker-base.ts';

export const runtime = join(import.meta.dirname, '../../../infra/runtime');
/** Where the blobs of all tests are. */
export const store = () => `http://127.0.0.1:${inject('azurite').ports.blob}`;

/**
 * The daemon of this machine. On a user's machine without one, tests that need it are skipped with a sentence; in CI
 * that is a failure.
 */
export async function findDocker(): Promise<Docker | undefined> {
  const docker = new Docker();
  if (await answers(docker)) return docker;
  const what = `Docker does not answer at ${process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'}`;
  if (process.env.CI) throw new Error(`${what}, and in CI the tests of containers must run`);
  console.warn(`${what}: not tested is how jobs run in containers. Start it, or set DOCKER_HOST.`);
  return undefined;
}

export async function answers(docker: Docker): Promise<boolean> {
  return docker.ping().then(
    () => true,
    () => false,
  );
}

/** Builds the image that the tests run jobs in; after the first time that is a matter of a second. */
export async function runtimeImage(docker: Docker): Promise<string> {
  const image = { base: await baseImage(docker), tag: 'lamplighter-test-runtime', runtime, uv: null, say: () => {} };
  await buildImage(docker, image);
  return image.tag;
}

/** An image with nothing in it that could run. */
export async function emptyImage(docker: Docker): Promise<string> {
  const context = await mkdtemp(join(tmpdir(), 'empty-'));
  await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\nENTRYPOINT ["python3"]\n');
  const stream = await docker.buildImage({ context, src: ['Dockerfile'] }, { t: 'lamplighter-test-empty' });
  await new Promise((resolve) => docker.modem.followProgress(stream, resolve));
  await rm(context, { recursive: true });
  return 'lamplighter-test-empty';
}

/**
 * A daemon of the test's own, that may be ended and started again. It has a network of its own: a daemon that is to have
 * no bridge removes docker0, and in the machine's network that is another daemon's.
 */
export class Daemon {
  readonly docker: Docker;
  private readonly folder: string;
  private ended: Promise<unknown> | undefined;
  private kill = (_: NodeJS.Signals) => {};

  private constructor(folder: string) {
    this.folder = folder;
    this.docker = new Docker({ socketPath: join(folder, 'docker.sock') });
  }

  static async create(): Promise<Daemon> {
    const daemon = new Daemon(await mkdtemp(join(tmpdir(), 'lampd-')));
    await daemon.start();
    return daemon;
  }

  async start(): Promise<void> {
    const at = (name: string) => join(this.folder, name);
    const places = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
    const flags = ['--host', `unix://${at('docker.sock')}`, '--bridge', 'none', '--iptables=false', ...places];
    const child = spawn('unshare', ['--net', 'dockerd', ...flags], { stdio: 'ignore' });
    this.kill = (signal) => child.kill(signal);
    this.ended = once(child, 'exit');
    await until(() => answers(this.docker));
  }

  async stop(): Promise<void> {
    this.kill('SIGTERM');
    await this.ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
