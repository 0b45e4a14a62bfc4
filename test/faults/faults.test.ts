import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/**
 * Some seconds of everything at once, after minutes of outage; what takes minutes to be repaired is left under way. The
 * long run is `npm run faults`, the long course in virtual time simulation-storm.test.ts.
 */
const options = '--minutes 0.35 --lookback 4 --jobs 8 --limit 5 --every 4 --patience 8 --seed 5';

// It takes half a minute whatever the machine, so people run it when they want to: npm run faults. Most of that is waiting,
// so both go at once.
test.each([
  'embedded',
  'azurite',
])('while hosts, jobs, packages, clocks, disk and the store (%s) fail at random, every slot runs once and nothing is lost', {
  concurrent: true,
  skip: !process.env.CI,
  timeout: 5 * 60_000,
}, async (store) => {
  const program = join(import.meta.dirname, 'run.ts');
  const run = promisify(execFile)(process.execPath, [program, '--store', store, ...options.split(' ')]);
  const { stdout } = await run.catch((error: { stdout: string; stderr: string }) => {
    throw new Error(error.stdout + error.stderr);
  });
  const figure = (name: string) => Number(new RegExp(`\\| ${name} +\\| +(\\d+)`).exec(stdout)?.[1]);
  expect(stdout).toContain('\nclean\n');
  expect(figure('slots')).toBeGreaterThanOrEqual(32);
  expect(figure('runs that succeeded')).toBeGreaterThan(0);
});
