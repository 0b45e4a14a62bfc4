import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makePackage } from '../../cli/deploy/package.ts';
import { readFolder } from '../../cli/host/folder.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import { Ingestion } from '../support/azure/ingestion.ts';
import { startWorker, timer } from '../support/azure/worker.ts';
import { connectionString, startAzurite } from '../support/storage/azurite.ts';

/**
 * What the published app sends of its own in minutes in which no job is due: items and bytes at the ingestion endpoint,
 * and lines of its log, which the Functions host sends on. What the host adds of its own is not seen here.
 *
 *   node test/bench/idle.ts [--minutes 10] [--app FOLDER]     a package made by another version: lamp package --out FOLDER
 */
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, app: { type: 'string' } } });
const minutes = Number(values.minutes);
const folder = await mkdtemp(join(tmpdir(), 'lamp-idle-'));
const app = values.app ?? join(folder, 'app');
if (!values.app) {
  const { catalog } = await readFolder(join(import.meta.dirname, '../../jobs'));
  await makePackage({ catalog, prefix: 'lamp', out: app, index: join(folder, 'jobs.json') });
}
const azurite = await startAzurite(1);
const connection = connectionString('http', 'test0', azurite.ports);
// An earlier version makes no tables.
await openStore(connection).prepare();
const ingestion = new Ingestion();
const worker = await startWorker(app, {
  LAMPLIGHTER_STORAGE: connection,
  LAMPLIGHTER_KEY_VAULT_URL: 'https://kv-lamp.vault.azure.net',
  LAMPLIGHTER_SUBSCRIPTION_ID: '22222222-2222-2222-2222-222222222222',
  LAMPLIGHTER_RESOURCE_GROUP: 'rg-lamp',
  LAMPLIGHTER_JOB_PREFIX: 'lamp',
  LAMPLIGHTER_IMAGE: `lamp.azurecr.io/lamplighter-runtime@sha256:${'a'.repeat(64)}`,
  LAMPLIGHTER_APP_URL: 'http://127.0.0.1:1',
  APPLICATIONINSIGHTS_CONNECTION_STRING: await ingestion.listen(),
  AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
  NODE_EXTRA_CA_CERTS: ingestion.certificate.certFile,
});
try {
  if (worker.failure) throw new Error(worker.failure);
  const timers = worker.functions
    .filter(({ name, bindings }) => name !== 'daily' && Object.values(bindings)[0]?.type === 'timerTrigger')
    .map(({ name }) => name);
  // The first registers the jobs.
  await minute(timers);
  ingestion.items.length = 0;
  let lines = 0;
  for (let done = 0; done < minutes; done++) lines += await minute(timers);
  const kinds: Record<string, number> = {};
  for (const { data } of ingestion.items) kinds[data.baseData.name] = (kinds[data.baseData.name] ?? 0) + 1;
  const bytes = Buffer.byteLength(JSON.stringify(ingestion.items));
  const each = (count: number) => (count / minutes).toFixed(1);
  console.log(`timers each minute: ${timers.join(', ')}`);
  console.log(
    `items a minute ${each(ingestion.items.length)}, bytes ${each(bytes)}: ${JSON.stringify(kinds)} in ${minutes} minutes`,
  );
  console.log(`lines of the log a minute ${each(lines)}`);
} finally {
  await worker.kill();
  azurite.stop();
  await ingestion.close();
  await rm(folder, { recursive: true, force: true });
}

/** @returns lines of the log */
async function minute(timers: readonly string[]): Promise<number> {
  let lines = 0;
  for (const name of timers) {
    const traceParent = `00-${crypto.randomUUID().replaceAll('-', '')}-${'1'.repeat(16)}-01`;
    const answer = await worker.invoke({ name, data: timer, traceParent });
    if (answer.error) throw new Error(`${name}: ${answer.error}`);
    lines += answer.lines.length;
  }
  return lines;
}
