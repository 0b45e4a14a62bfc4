import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePackage } from '../../cli/deploy/package.ts';
import { readFolder } from '../../cli/host/folder.ts';
import { startWorker } from '../support/azure/worker.ts';
import type { Choice } from './bench.ts';
import { line, median, millis } from './figures.ts';

const root = join(import.meta.dirname, '..', '..');
const lamp = join(root, 'dist', 'lamp.js');

/** (g) From nothing to ready: the function app as the worker of Azure Functions loads it, and the command line. */
export async function startup({ quick }: Choice): Promise<void> {
  const rounds = quick ? 5 : 21;
  await app(rounds);
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(timed(['-e', '0']));
    ours.push(timed([lamp, '--version']));
  }
  line('dist/lamp.js --version', `${millis(median(ours))} · bare Node ${millis(median(bare))}`);
}

async function app(rounds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lamp-bench-'));
  const out = join(folder, 'app');
  try {
    const { catalog } = await readFolder(join(root, 'jobs'));
    await makePackage({ catalog, prefix: 'lamp', out, index: join(folder, 'jobs.json') });
    const loads: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const worker = await startWorker(out);
      loads.push(worker.loadMs);
      await worker.kill();
    }
    const registered = median(loads);
    line('function app, until all functions are registered', millis(registered), {
      text: 'under 250 ms',
      met: registered < 250,
    });
    // What the first call, and the first telemetry, load on top.
    for (const file of ['handlers', 'sender']) {
      const script = join(out, `${file}.js`);
      const took = Array.from(
        { length: rounds },
        () => timed(['-e', `require(${JSON.stringify(script)})`]) - timed(['-e', '0']),
      );
      const megabytes = ((await stat(script)).size / 1e6).toFixed(1);
      line(`  ${file}.js, ${megabytes} MB`, millis(median(took)));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function timed(args: string[]): number {
  const began = performance.now();
  execFileSync(process.execPath, args, { stdio: 'ignore' });
  return performance.now() - began;
}
