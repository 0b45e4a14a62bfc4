import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import type { Instant } from '../instant.ts';
import { type Active, active, activeCodec } from './active.ts';
import { type Attempts, attempts, type SignBlob, signWithKey } from './attempts.ts';
import { type Bundles, bundles } from './bundles.ts';
import { type Events, eventCodec, events } from './events.ts';
import { type JobRows, jobCodec, jobRows } from './jobs.ts';
import { type Keys, keyCodec, keys } from './keys.ts';
import { type Launches, launches } from './launches.ts';
import { type Runs, runCodec, runs } from './runs.ts';
import { type Marks, markCodec, marks } from './service.ts';
import { type Codec, table } from './table.ts';

/** Everything that lasts. */
export interface Store {
  runs: Runs;
  active: Active;
  jobs: JobRows;
  events: Events;
  marks: Marks;
  keys: Keys;
  launches: Launches;
  attempts: Attempts;
  bundles: Bundles;
  /** Creates what is missing; calling it again is cheap and harmless. */
  prepare(): Promise<void>;
  /** What time it is at the store, in whole seconds: the one clock that all hosts share. */
  time(): Promise<Instant>;
}

/** Opens Azure Storage, or Azurite, by a connection string. Nothing is sent before the first use. */
export function openStore(connection: string, sign: SignBlob = signWithKey): Store {
  const tables: TableClient[] = [];
  const open = <T>(name: string, codec: Codec<T>) => {
    const client = TableClient.fromConnectionString(connection, name, { allowInsecureConnection: true });
    tables.push(client);
    return table(client, codec);
  };
  const blobs = BlobServiceClient.fromConnectionString(connection);
  const queues = QueueServiceClient.fromConnectionString(connection);
  const containers = { runs: blobs.getContainerClient('runs'), bundles: blobs.getContainerClient('bundles') };
  const queue = { launch: queues.getQueueClient('launch'), poison: queues.getQueueClient('launch-poison') };

  return {
    runs: runs(open('runs', runCodec)),
    active: active(open('active', activeCodec)),
    jobs: jobRows(open('jobs', jobCodec)),
    events: events(open('events', eventCodec)),
    marks: marks(open('service', markCodec)),
    keys: keys(open('service', keyCodec)),
    launches: launches(queue.launch, queue.poison),
    attempts: attempts(containers.runs, sign),
    bundles: bundles(containers.bundles, sign),
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
