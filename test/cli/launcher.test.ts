import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exitCodeOf } from '../../cli/wait.ts';
import type { Run } from '../../shared/run/run.ts';
import { started } from '../support/pipeline/cast.ts';

let root: string;
let launcher: string;

/** A launcher whose own Node is always too old, and a program that says which signals it gets. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'launcher-'));
  for (const folder of ['cli', 'dist', 'node_modules/node/bin']) await mkdir(join(root, folder), { recursive: true });
  const text = await readFile(join(import.meta.dirname, '../../cli/lamp.mjs'), 'utf8');
  launcher = join(root, 'cli', 'lamp.mjs');
  await writeFile(launcher, text.replace('>= 24', '>= 99'));
  await symlink(process.execPath, join(root, 'node_modules/node/bin/node'));
  await writeFile(
    join(root, 'dist', 'lamp.js'),
    `setInterval(() => {}, 1000);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { console.log(signal); process.exit(7); });
console.log('ready');`,
  );
});
afterAll(() => rm(root, { recursive: true, force: true }));

test.each([
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
] as const)('%s to the launcher alone reaches the program, whose exit code it has', async (signal) => {
  const child = spawn(process.execPath, [launcher], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    if (said === '') child.kill(signal);
    said += bytes;
  });
  const [code] = await once(child, 'close');
  expect([code, said]).toEqual([7, `ready\n${signal}\n`]);
});

test('a job that a signal ended gives the exit code that a shell would, real-time signals included', () => {
  const ended = (signal: string): Run =>
    started('score', {
      state: 'failed',
      attempts: started('score').attempts.map((attempt) => ({ ...attempt, exitCode: null, signal })),
    });
  const signals = ['SIGKILL', 'SIGSEGV', 'SIGRTMIN', 'SIGRTMIN+6', 'SIGRTMAX', 'signal 33', 'signal -'];
  expect(signals.map((signal) => exitCodeOf(ended(signal)))).toEqual([137, 139, 162, 168, 192, 161, 1]);
});
