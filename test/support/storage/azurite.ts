import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

export interface Ports {
  blob: number;
  queue: number;
  table: number;
}

/** Any base64 text does: Azurite only compares signatures made with it. */
export const accountKey = Buffer.from('lamplighter-tests').toString('base64');

/** Starts an Azurite in memory with `count` accounts: `test0`, `test1`, … @param more of its options */
export async function startAzurite(count: number, more: string[] = []): Promise<{ ports: Ports; stop(): void }> {
  const [blob, queue, table] = (await Promise.all([freePort(), freePort(), freePort()])) as [number, number, number];
  const accounts = Array.from({ length: count }, (_, i) => `test${i}:${accountKey}`).join(';');
  const azurite = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../../../node_modules/azurite/dist/src/azurite.js'),
      ...['--inMemoryPersistence', '--disableTelemetry', '--skipApiVersionCheck'],
      ...['--blobPort', `${blob}`, '--queuePort', `${queue}`, '--tablePort', `${table}`, ...more],
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
  return { ports: { blob, queue, table }, stop: () => void azurite.kill() };
}

export function connectionString(protocol: 'http' | 'https', name: string, ports: Ports): string {
  return [
    `DefaultEndpointsProtocol=${protocol}`,
    `AccountName=${name}`,
    `AccountKey=${accountKey}`,
    `BlobEndpoint=${protocol}://127.0.0.1:${ports.blob}/${name}`,
    `QueueEndpoint=${protocol}://127.0.0.1:${ports.queue}/${name}`,
    `TableEndpoint=${protocol}://127.0.0.1:${ports.table}/${name}`,
  ].join(';');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
