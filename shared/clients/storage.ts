import { TableClient, type TableServiceClientOptions } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient, newPipeline as blobPipeline, type Pipeline } from '@azure/storage-blob';
import { QueueServiceClient, newPipeline as queuePipeline } from '@azure/storage-queue';
import { second } from '../instant.ts';
import { limited, shortWaits, within } from './limit.ts';

/** A storage account: by a connection string, or in Azure by the addresses of its services and an identity. */
export type StorageAccount = { connection: string } | IdentityAccount;

export interface IdentityAccount {
  /** https://<account>.blob.core.windows.net, and so on. */
  blobs: string;
  queues: string;
  tables: string;
  /** Needs the roles Storage Blob, Queue and Table Data Contributor on the account. */
  credential: TokenCredential;
}

export interface Services {
  table(name: string): TableClient;
  blobs: BlobServiceClient;
  queues: QueueServiceClient;
}

/** Longest for one call with its token, tries and waits, ms. */
export interface StorageLimits {
  /** Rows and messages: at most 4 MB a request. */
  rowsMs: number;
  /** A bundle of hundreds of megabytes goes up in one call. */
  blobsMs: number;
}

/** A tick every 15 s and a trouble within a minute want short limits; a slow line wants long ones for blobs. */
export const usualLimits: StorageLimits = { rowsMs: 20 * second, blobsMs: 120 * second };

/** Nothing is sent before the first use. */
export function openAccount(account: StorageAccount, { rowsMs, blobsMs }: StorageLimits = usualLimits): Services {
  const rows: TableServiceClientOptions = { additionalPolicies: [limited(rowsMs), shortWaits] };
  if ('connection' in account) {
    const { connection } = account;
    const blobs = BlobServiceClient.fromConnectionString(connection);
    const queues = QueueServiceClient.fromConnectionString(connection);
    return {
      table: (name) => TableClient.fromConnectionString(connection, name, { allowInsecureConnection: true, ...rows }),
      blobs: new BlobServiceClient(blobs.url, bounded(blobPipeline(blobs.credential), blobsMs)),
      queues: new QueueServiceClient(queues.url, bounded(queuePipeline(blobs.credential), rowsMs)),
    };
  }
  const { tables, credential } = account;
  return {
    table: (name) => new TableClient(tables, name, credential, rows),
    blobs: new BlobServiceClient(account.blobs, bounded(blobPipeline(credential), blobsMs)),
    queues: new QueueServiceClient(account.queues, bounded(queuePipeline(credential), rowsMs)),
  };
}

/**
 * Puts the limit around all tries. These two SDKs have steps of their own kind, which their pipelines run outermost
 * first; their retries do not heed Retry-After.
 */
function bounded<P extends Pipeline>(pipeline: P, limitMs: number): P {
  pipeline.factories.unshift({
    create: (next) => ({
      sendRequest: (request) =>
        within(new URL(request.url).host, limitMs, (signal) => {
          request.abortSignal = request.abortSignal
            ? AbortSignal.any([request.abortSignal as AbortSignal, signal])
            : signal;
          return next.sendRequest(request);
        }),
    }),
  });
  return pipeline;
}
