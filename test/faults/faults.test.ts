import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Minutes of faults; the long run is `npm run faults -- --minutes 30`. */
const minutes = 1;

// It takes minutes whatever the machine, so people run it when they want to: npm run faults.
test.skipIf(!process.env.CI).each(['embedded', 'azurite'])(
  'while hosts, shims, jobs, clocks, disk and the store (%s) fail at random, every slot runs once and nothing is lost or stuck',
  { timeout: 15 * 60_000 },
  async (store) => {
    const program = join(import.meta.dirname, 'run.ts');
    const run = promisify(execFile)(process.execPath, [
      program,
      '--minutes',
      `${minutes}`,
      '--jobs',
      '12',
      '--store',
      store,
      '--seed',
      '5',
    ]);
    const { stdout } = await run.catch((error: { stdout: string; stderr: string }) => {
      throw new Error(error.stdout + error.stderr);
    });
    expect(stdout).toMatch(/missed 0\nduplicate 0\nextra 0\nlostResults 0\nstuck 0/);
    expect(stdout).toMatch(/succeeded [1-9]/);
  },
);
