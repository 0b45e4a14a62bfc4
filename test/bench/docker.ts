import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { containerOptions, type Limits } from '../../shared/executors/docker/container.ts';
import { dockerExecutor } from '../../shared/executors/docker/docker.ts';
import { buildImage } from '../../shared/executors/docker/image.ts';
import type { AttemptSpec } from '../../shared/run/attempt.ts';
import { attemptFolder } from '../../shared/store/embedded/attempts.ts';
import { openEmbedded } from '../../shared/store/embedded/store.ts';
import { baseImage } from '../support/docker/docker-base.ts';
import { zip } from '../support/shim/shim.ts';

/**
 * What an attempt in a container costs over a bare container: the same Python command, in the same image under the same
 * limits, created, started, awaited and removed through the same API, in turn. With log, result and a heartbeat's
 * readiness on our side, and nothing kept on the other.
 *
 *   node test/bench/docker.ts [--rounds N] [--network none|bridge|host]
 */
const option = (name: string, otherwise: string) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
};
const rounds = Number(option('rounds', '30'));
const code = 'print("hello")\n';
const limits: Limits = {
  cpu: Number(option('cpu', '1')),
  memoryBytes: 512 * 1024 ** 2,
  scratchBytes: 64 * 1024 ** 2,
  pids: 256,
  network: option('network', 'none') as Limits['network'],
  graceMs: 10_000,
};

const docker = new Docker();
const folder = await mkdtemp(join(tmpdir(), 'lamp-bench-'));
const image = { base: await baseImage(docker), tag: 'lamplighter-test-runtime', uv: null, say: () => {} };
await buildImage(docker, { ...image, runtime: join(import.meta.dirname, '../../infra/runtime') });
const store = openEmbedded(folder);
const bundle = await zip({ 'main.py': code });
const digest = createHash('sha256').update(bundle).digest('hex');
await store.bundles.put(digest, bundle);

const home = randomBytes(4).toString('hex');
let over = (_: number) => {};
const executor = dockerExecutor({
  docker,
  image: image.tag,
  home,
  attemptFolder: (attempt) => attemptFolder(folder, attempt),
  limits: () => limits,
  shimLog: join(folder, 'shim.log'),
  ended: () => over(performance.now()),
  trouble: console.error,
});
await executor.adopt();

const [bare, ours, gone]: number[][] = [[], [], []];
try {
  await attempt(-2);
  await container(-1);
  for (let round = 0; round < rounds; round += 1) {
    bare?.push(await container(round));
    const { ended, removed } = await attempt(round);
    ours?.push(ended);
    gone?.push(removed);
  }
  console.log(`network ${limits.network}, ${limits.cpu} cpu, ${rounds} rounds in turn`);
  for (const [what, share] of [
    ['fastest tenth', 0.1],
    ['median', 0.5],
  ] as const) {
    const [a, b, c] = [bare, ours, gone].map((times = []) => quantile(times, share));
    console.log(`${what}: bare ${a} ms until its end and removal`);
    console.log(
      `  ours ${b} ms until the end is known (${ratio(b, a)}), ${c} ms until removed as well (${ratio(c, a)})`,
    );
  }
} finally {
  await executor.close();
  store.close();
  await rm(folder, { recursive: true, force: true });
}

async function attempt(round: number): Promise<{ ended: number; removed: number }> {
  const spec = await specOf(`round${round}`);
  const reported = new Promise<number>((resolve) => {
    over = resolve;
  });
  const began = performance.now();
  const name = await executor.start(spec);
  const ended = (await reported) - began;
  while (await exists(name)) await new Promise((resolve) => setTimeout(resolve, 2));
  const removed = performance.now() - began;
  if ((await store.attempts.result(spec))?.outcome !== 'succeeded') throw new Error('the attempt did not succeed');
  return { ended, removed };
}

async function exists(name: string): Promise<boolean> {
  return docker
    .getContainer(name)
    .inspect()
    .then(
      () => true,
      () => false,
    );
}

async function container(round: number): Promise<number> {
  const id = { job: 'bare', run: `round${round}`, attempt: 1 };
  const place = { image: image.tag, home: `${home}x`, host: 'none', mount: null, user: '10001:10001' };
  const options = containerOptions(id, limits, place);
  const began = performance.now();
  const made = await docker.createContainer({ ...options, Entrypoint: ['python3', '-c', code], OpenStdin: false });
  await made.start();
  const { StatusCode } = await made.wait();
  await made.remove();
  if (StatusCode !== 0) throw new Error(`the bare container ended with ${StatusCode}`);
  return performance.now() - began;
}

async function specOf(run: string): Promise<AttemptSpec> {
  const id = { job: 'hello', run, attempt: 1 };
  const until = Date.now() + 3_600_000;
  const { blobs, outputs } = await store.attempts.urls(id, [], until);
  return {
    version: 1,
    ...id,
    scheduledFor: '2026-11-20T07:00:00Z',
    command: ['python', 'main.py'],
    python: null,
    env: {},
    secrets: {},
    bundle: { digest, url: await store.bundles.url(digest, until), locked: false },
    inputs: [],
    outputs,
    timeoutMs: 60_000,
    graceMs: 10_000,
    logLimitBytes: 1_000_000,
    heartbeatMs: 20_000,
    deliverMs: 10_000,
    blobs,
    nudge: null,
    cache: null,
  };
}

/** On a busy machine the fastest tenth is the better figure. */
function quantile(times: number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN);
}

function ratio(ms = Number.NaN, to = Number.NaN): string {
  return `${ms >= to ? '+' : ''}${Math.round((ms / to - 1) * 100)} %`;
}
