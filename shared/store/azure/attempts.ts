import { buffer } from 'node:stream/consumers';
import { type BlobClient, type ContainerClient, RestError } from '@azure/storage-blob';
import { within } from '../../clients/limit.ts';
import { type Instant, minute } from '../../instant.ts';
import { type AttemptId, type Attempts, mostMark, mostResult, readResult, saysDelivering } from '../attempts.ts';
import type { SignBlob } from './signature.ts';

const specName = 'spec.json';
/** Metadata of `started.json` when it was written to keep shims from beginning: a look costs no reading of it. */
const abandonedMark = 'abandoned';
/** The log is read in pieces of this size. */
const readSize = 4 * 1024 * 1024;

/** @param bodyMs longest for one blob, its body included, ms: the limit of the client covers no stream */
export function azureAttempts(container: ContainerClient, sign: SignBlob, bodyMs: number = minute): Attempts {
  const path = ({ job, run, attempt }: AttemptId, name: string) => `${job}/${run}/${attempt}/${name}`;
  const url = (id: AttemptId, name: string, permissions: string, until: Instant) =>
    sign(container, path(id, name), permissions, until);
  const modified = async (id: AttemptId, name: string) => {
    const found = await absentAsUndefined(container.getBlobClient(path(id, name)).getProperties());
    return found?.lastModified?.getTime();
  };

  return {
    async urls(id, outputs, until) {
      const [started, heartbeat, log, result] = await Promise.all([
        url(id, 'started.json', 'cr', until),
        url(id, 'heartbeat', 'cw', until),
        url(id, 'log.txt', 'ac', until),
        url(id, 'result.json', 'c', until),
      ]);
      const kept = outputs.map(async (name) => ({ path: name, url: await url(id, `outputs/${name}`, 'c', until) }));
      return { blobs: { started, heartbeat, log, result }, outputs: await Promise.all(kept) };
    },
    outputUrl: (id, name, until) => url(id, `outputs/${name}`, 'r', until),
    async ticket(id, spec, until) {
      if (Object.values(spec.secrets).some((value) => value !== null)) {
        throw new Error(`the specification of ${spec.job}.${spec.run} holds values of secrets: they are never stored`);
      }
      const text = JSON.stringify(spec);
      await container.getBlockBlobClient(path(id, specName)).upload(text, Buffer.byteLength(text));
      return url(id, specName, 'rd', until);
    },
    async abandon(id, by) {
      const blob = container.getBlockBlobClient(path(id, 'started.json'));
      const body = JSON.stringify({ abandonedBy: by });
      try {
        const mark = { conditions: { ifNoneMatch: '*' }, metadata: { [abandonedMark]: '1' } };
        await blob.upload(body, Buffer.byteLength(body), mark);
        // A shim would have removed it. When this fails it stays, of no use, until the history is that old.
        await container
          .getBlobClient(path(id, specName))
          .deleteIfExists()
          .catch(() => {});
        return true;
      } catch (error) {
        if (!(error instanceof RestError) || error.statusCode !== 409) throw error;
        // Ours after all? A retried upload, or another watch that gave it up before us.
        const found = await absentAsUndefined(readBlob(blob, bodyMs, 0, mostMark));
        return found?.includes('"abandonedBy"') ?? false;
      }
    },
    async begun(id) {
      const found = await absentAsUndefined(container.getBlobClient(path(id, 'started.json')).getProperties());
      return found?.metadata?.[abandonedMark] === undefined ? found?.lastModified?.getTime() : undefined;
    },
    async delivering(id) {
      const blob = container.getBlobClient(path(id, 'heartbeat'));
      const found = await absentAsUndefined(readBlob(blob, bodyMs, 0, mostMark));
      return found !== undefined && saysDelivering(found.toString());
    },
    async lastHeartbeat(id) {
      return (await modified(id, 'heartbeat')) ?? (await modified(id, 'started.json'));
    },
    async result(id) {
      const blob = container.getBlobClient(path(id, 'result.json'));
      const found = await absentAsUndefined(readBlob(blob, bodyMs, 0, mostResult + 1));
      return found && readResult(found, blob.name);
    },
    async logTail(id, most) {
      const blob = container.getBlobClient(path(id, 'log.txt'));
      const found = await absentAsUndefined(blob.getProperties());
      if (!found) return undefined;
      const length = found.contentLength ?? 0;
      if (length === 0) return Buffer.alloc(0);
      return absentAsUndefined(readBlob(blob, bodyMs, Math.max(length - most, 0), most));
    },
    async leave(id, result) {
      const text = JSON.stringify(result);
      const blob = container.getBlockBlobClient(path(id, 'result.json'));
      try {
        await blob.upload(text, Buffer.byteLength(text), { conditions: { ifNoneMatch: '*' } });
        return true;
      } catch (error) {
        if (error instanceof RestError && error.statusCode === 409) return false;
        throw error;
      }
    },
    async output(id, output, most) {
      const blob = container.getBlobClient(path(id, `outputs/${output}`));
      const found = await absentAsUndefined(readBlob(blob, bodyMs, 0, most + 1));
      return found && found.length <= most ? found.toString('utf8') : undefined;
    },
    async keep(id, output) {
      // Writing metadata counts as a modification; reading does not
      // (learn.microsoft.com/azure/storage/blobs/lifecycle-management-policy-structure).
      const blob = container.getBlobClient(path(id, `outputs/${output}`));
      return (await absentAsUndefined(blob.setMetadata({ stillaninput: 'yes' }))) !== undefined;
    },
    async removeAll(job, run) {
      for await (const { name } of container.listBlobsFlat({ prefix: `${job}/${run}/` })) {
        await container.getBlobClient(name).deleteIfExists();
      }
    },
    async log(id, offset) {
      return absentAsUndefined(readBlob(container.getBlobClient(path(id, 'log.txt')), bodyMs, offset, readSize));
    },
  };
}

/** What is asked of a blob; undefined: there is none. */
export async function absentAsUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Only the blob itself: a missing container is a broken installation, not an answer. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof RestError) || error.statusCode !== 404) return false;
  // The answer to HEAD has no body: its code is in a header, which only `details` says.
  const details = error.details as { errorCode?: string } | undefined;
  return (error.code ?? details?.errorCode) === 'BlobNotFound';
}

/** In one request: downloadToBuffer asks for the length first. Beyond the end there is nothing. */
export async function readBlob(blob: BlobClient, limitMs: number, offset: number, count: number): Promise<Buffer> {
  try {
    return await within(`the blob ${blob.name}`, limitMs, async (abortSignal) => {
      const { readableStreamBody } = await blob.download(offset, count, { abortSignal, maxRetryRequests: 0 });
      return readableStreamBody ? buffer(readableStreamBody) : Buffer.alloc(0);
    });
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 416) return Buffer.alloc(0);
    throw error;
  }
}
