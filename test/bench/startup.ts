import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Choice } from './bench.ts';
import { line, median, millis } from './figures.ts';

const lamp = join(import.meta.dirname, '..', '..', 'dist', 'lamp.js');

/** (g) From process start to ready. There is no Functions bundle yet: this is the built command line and `--version`. */
export async function startup({ quick }: Choice): Promise<void> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < (quick ? 5 : 21); round++) {
    bare.push(timed(['-e', '0']));
    ours.push(timed([lamp, '--version']));
  }
  line('dist/lamp.js --version', `${millis(median(ours))} · bare Node ${millis(median(bare))}`);
}

function timed(args: string[]): number {
  const began = performance.now();
  execFileSync(process.execPath, args, { stdio: 'ignore' });
  return performance.now() - began;
}
