import { type ContainerClient, RestError } from '@azure/storage-blob';
import { type Bundles, mostRead } from '../bundles.ts';
import type { SignBlob } from './signature.ts';

export function azureBundles(container: ContainerClient, sign: SignBlob): Bundles {
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
