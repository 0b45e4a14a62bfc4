import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    azurite: { ports: { blob: number; queue: number; table: number }; key: string; taken: string };
  }
}

/** Accounts that one Azurite serves; every test that wants an empty store takes one for itself. */
const accountCount = 2_000;
/** Any base64 text does: Azurite only compares signatures made with it. */
const key = Buffer.from('lamplighter-tests').toString('base64');

/** Starts one in-memory Azurite for the whole test run. */
export default async function setup(project: TestProject) {
  const [blob, queue, table] = (await Promise.all([freePort(), freePort(), freePort()])) as [number, number, number];
  const folder = await mkdtemp(join(tmpdir(), 'lamp-test-'));
  const accounts = Array.from({ length: accountCount }, (_, i) => `test${i}:${key}`).join(';');
  const azurite = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../../node_modules/azurite/dist/src/azurite.js'),
      ...['--inMemoryPersistence', '--disableTelemetry', '--skipApiVersionCheck'],
      ...['--blobPort', `${blob}`, '--queuePort', `${queue}`, '--tablePort', `${table}`],
    ],
    { env: { ...process.env, AZURITE_ACCOUNTS: accounts }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise<void>((resolve, reject) => {
    let said = '';
    azurite.once('exit', (code) => reject(new Error(`Azurite ended with ${code} before it listened: ${said}`)));
    azurite.stdout.on('data', (text) => {
      said += text;
      if (/Table service is successfully listening/.test(said)) resolve();
    });
  });
  azurite.removeAllListeners('exit');
  project.provide('azurite', { ports: { blob, queue, table }, key, taken: folder });
  return async () => {
    azurite.kill();
    await rm(folder, { recursive: true, force: true });
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
