import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runName } from '../../shared/run/run.ts';
import { type AppWorld, finished, openApp } from './app-world.ts';
import type { Choice } from './bench.ts';
import { line, megabytes, seconds } from './figures.ts';
import { memoryOf } from './processes.ts';

const lamp = join(import.meta.dirname, '..', '..', 'dist', 'lamp.js');
const piece = 16 * 2 ** 20;

/** (k) A log of 1 GB, followed while it is written and read when it is whole, from an app: time, and memory of both ends. */
export async function bigLog({ quick }: Choice): Promise<void> {
  const size = (quick ? 4 : 64) * piece;
  const world = await openApp();
  try {
    const slot = Math.floor(Date.now() / 1_000) * 1_000 + 60_000;
    const run = finished('job-000', slot);
    const [attempt] = run.attempts;
    if (!attempt) throw new Error('a run of the bench has an attempt');
    const running = { ...run, state: 'running', endedAt: null, attempts: [{ ...attempt, state: 'running' }] } as const;
    const row = await world.store.runs.insert({ ...running, attempts: [...running.attempts] });
    const id = { job: run.job, run: run.id, attempt: 1 };
    const folder = join(world.folder, 'store', 'attempts', id.job, id.run, '1');
    await mkdir(folder, { recursive: true });
    const following = read(world, ['logs', runName(run), '-f']);
    await write(join(folder, 'log.txt'), size);
    await world.store.runs.replace(run, row?.etag ?? '');
    report('followed', size, await following);
    report('read', size, await read(world, ['logs', runName(run)]));
    report('read, with times', size, await read(world, ['logs', runName(run), '-t']));
  } finally {
    await world.close();
  }
}

function report(what: string, size: number, { bytes, tookMs, here, there }: Reading): void {
  line(`${what}: ${megabytes(size)}`, `${seconds(tookMs)}, ${megabytes(bytes)} of text`);
  const most = Math.max(here, there);
  line('  most memory of lamp / of the app', `${megabytes(here)} / ${megabytes(there)}`, {
    text: 'at most 300 MB each',
    met: most <= 300e6,
  });
}

interface Reading {
  bytes: number;
  tookMs: number;
  here: number;
  there: number;
}

async function read(world: AppWorld, args: string[]): Promise<Reading> {
  const began = performance.now();
  const child = spawn(process.execPath, [lamp, '--app', 'bench', ...args], {
    env: world.environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let bytes = 0;
  child.stdout.on('data', (data: Buffer) => {
    bytes += data.length;
  });
  let [here, there] = [0, 0];
  const ended = once(child, 'close');
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (; !over; await sleep(100)) {
    there = Math.max(there, residentOf(world.host.pid ?? 0));
    here = Math.max(here, residentOf(child.pid ?? 0));
  }
  if (child.exitCode !== 0) throw new Error(`lamp ${args.join(' ')} ended with ${child.exitCode}`);
  return { bytes, tookMs: performance.now() - began, here, there };
}

/** A process that has just ended has none. */
function residentOf(pid: number): number {
  try {
    return memoryOf(pid).resident;
  } catch {
    return 0;
  }
}

/** Lines of 100 bytes, as a shim appends them. */
async function write(path: string, size: number): Promise<void> {
  const one = `2026-11-20T07:00:00.123Z ${'x'.repeat(74)}\n`;
  const block = Buffer.from(one.repeat(Math.floor(piece / one.length)));
  const file = await open(path, 'a');
  for (let written = 0; written < size; written += block.length) await file.write(block);
  await file.close();
}
