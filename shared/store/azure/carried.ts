import { Readable } from 'node:stream';
import { type BlobClient, type ContainerClient, RestError } from '@azure/storage-blob';
import { type Files, partsOf } from '../files.ts';
import { absentAsUndefined, readBlob } from './attempts.ts';

const piece = 4 << 20;
/** Pieces on their way at once: a stream takes this much memory. */
const together = 2;

/** The blobs of a container. The client resolves dots in a name, beyond the container too: so none come that far. @param bodyMs longest for one piece of a blob, ms */
export function carriedBlobs(container: ContainerClient, bodyMs: number): Files {
  return {
    async *list(prefix) {
      for await (const { name } of container.listBlobsFlat({ prefix })) yield name;
    },
    async read(path) {
      const blob = container.getBlobClient(partsOf(path).join('/'));
      const found = await absentAsUndefined(blob.getProperties());
      if (!found) return undefined;
      const bytes = found.contentLength ?? 0;
      return { bytes, at: found.lastModified?.getTime() ?? 0, stream: Readable.from(pieces(blob, bytes, bodyMs)) };
    },
    async create(path, { bytes, stream }) {
      const blob = container.getBlockBlobClient(partsOf(path).join('/'));
      if (await absentAsUndefined(blob.getProperties())) {
        stream.resume();
        return false;
      }
      // What came in since that look stays, too.
      const onlyNew = { conditions: { ifNoneMatch: '*' } };
      try {
        await blob.uploadStream(stream, Math.min(Math.max(bytes, 1), piece), together, onlyNew);
        return true;
      } catch (error) {
        if (!(error instanceof RestError) || ![409, 412].includes(error.statusCode ?? 0)) throw error;
        stream.resume();
        return false;
      }
    },
  };
}

async function* pieces(blob: BlobClient, bytes: number, bodyMs: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes; ) {
    const some = await readBlob(blob, bodyMs, at, Math.min(piece, bytes - at));
    if (some.length === 0) throw new Error(`the blob ${blob.name} became shorter while it was read`);
    at += some.length;
    yield some;
  }
}
