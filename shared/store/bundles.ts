import { type ContainerClient, RestError } from '@azure/storage-blob';
import type { Instant } from '../instant.ts';
import type { SignBlob } from './signature.ts';

/** Code of jobs, each version once, named by its SHA-256. */
export interface Bundles {
  put(digest: string, zip: Buffer): Promise<void>;
  url(digest: string, until: Instant): Promise<string>;
  /** Undefined: it is not kept any more, or too large to be read as a whole. */
  get(digest: string): Promise<Buffer | undefined>;
}

/** More is only handed to shims. */
const mostRead = 32 * 1024 * 1024;

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
    async get(digest) {
      try {
        const blob = container.getBlobClient(`${digest}.zip`);
        const { contentLength = 0 } = await blob.getProperties();
        return contentLength > mostRead ? undefined : await blob.downloadToBuffer();
      } catch (error) {
        if (error instanceof RestError && error.statusCode === 404) return undefined;
        throw error;
      }
    },
    url: (digest, until) => sign(container, `${digest}.zip`, 'r', until),
  };
}
