import { type ContainerClient, RestError } from '@azure/storage-blob';
import type { Instant } from '../instant.ts';
import type { SignBlob } from './signature.ts';

/** Code of jobs, each version once, named by its SHA-256. */
export interface Bundles {
  put(digest: string, zip: Buffer): Promise<void>;
  url(digest: string, until: Instant): Promise<string>;
}

export function bundles(container: ContainerClient, sign: SignBlob): Bundles {
  return {
    async put(digest, zip) {
      try {
        const blob = container.getBlockBlobClient(`${digest}.zip`);
        await blob.upload(zip, zip.length, { conditions: { ifNoneMatch: '*' } });
      } catch (error) {
        const exists = error instanceof RestError && error.statusCode === 409 && error.code === 'BlobAlreadyExists';
        if (!exists) throw error;
      }
    },
    url: (digest, until) => sign(container, `${digest}.zip`, 'r', until),
  };
}
