import type { TableClient } from '@azure/data-tables';
import { openAccount, type StorageAccount, type StorageLimits, usualLimits } from '../../clients/storage.ts';
import { type KeptStore, rowsOver } from '../store.ts';
import type { Codec } from '../table.ts';
import { azureAttempts } from './attempts.ts';
import { azureBundles } from './bundles.ts';
import { carriedBlobs } from './carried.ts';
import { azureLaunches } from './launches.ts';
import { type SignBlob, signWithDelegation, signWithKey } from './signature.ts';
import { azureTable } from './table.ts';

/**
 * Opens Azure Storage, or Azurite. Nothing is sent before the first use.
 * @param given a text is a connection string
 * @param sign not given: as the account is opened, by its key or by a key of the identity
 */
export function openStore(
  given: string | StorageAccount,
  sign?: SignBlob,
  limits: StorageLimits = usualLimits,
): KeptStore {
  const account = typeof given === 'string' ? { connection: given } : given;
  const services = openAccount(account, limits);
  const { blobs, queues } = services;
  const signed = sign ?? ('connection' in account ? signWithKey : signWithDelegation(blobs, Date.now));
  const tables: TableClient[] = [];
  const open = <T>(name: string, codec: Codec<T>) => {
    const client = services.table(name);
    tables.push(client);
    return azureTable(client, codec);
  };
  const containers = { runs: blobs.getContainerClient('runs'), bundles: blobs.getContainerClient('bundles') };
  const queue = { launch: queues.getQueueClient('launch'), poison: queues.getQueueClient('launch-poison') };

  return {
    ...rowsOver(open),
    launches: azureLaunches(queue.launch, queue.poison),
    attempts: azureAttempts(containers.runs, signed, limits.blobsMs),
    bundles: azureBundles(containers.bundles, signed),
    rows: (name, codec) => azureTable(services.table(name), codec),
    files: {
      attempts: carriedBlobs(containers.runs, limits.blobsMs),
      bundles: carriedBlobs(containers.bundles, limits.blobsMs),
    },
    async prepare() {
      await Promise.all([
        ...tables.map((client) => client.createTable()),
        ...Object.values(containers).map((client) => client.createIfNotExists()),
        ...Object.values(queue).map((client) => client.createIfNotExists()),
      ]);
    },
    async time() {
      const { date } = await containers.runs.getProperties();
      if (!date) throw new Error('storage answered without a Date');
      return date.getTime();
    },
  };
}
