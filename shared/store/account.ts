import { TableClient } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { type SignBlob, signWithDelegation, signWithKey } from './signature.ts';

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
  sign: SignBlob;
}

/** Nothing is sent before the first use. */
export function openAccount(account: StorageAccount): Services {
  return 'connection' in account ? withKey(account.connection) : withIdentity(account);
}

function withKey(connection: string): Services {
  return {
    table: (name) => TableClient.fromConnectionString(connection, name, { allowInsecureConnection: true }),
    blobs: BlobServiceClient.fromConnectionString(connection),
    queues: QueueServiceClient.fromConnectionString(connection),
    sign: signWithKey,
  };
}

function withIdentity({ blobs, queues, tables, credential }: IdentityAccount): Services {
  const service = new BlobServiceClient(blobs, credential);
  return {
    table: (name) => new TableClient(tables, name, credential),
    blobs: service,
    queues: new QueueServiceClient(queues, credential),
    sign: signWithDelegation(service, Date.now),
  };
}
