import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { pipeline as piped } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Pack } from 'tar-stream';

export interface Entry {
  name: string;
  bytes: number;
  at: Date;
  body: Readable;
}

/** The entries of a gzipped tar, in their order; what of a body is not read is skipped. @throws Error: it is none, or cut */
export async function* entriesOf(file: string): AsyncGenerator<Entry> {
  const tar = extract();
  let arrived = Promise.withResolvers<{ entry: Entry; ended: Promise<unknown>; next: () => void } | undefined>();
  let current: Readable | undefined;
  tar.on('entry', ({ name, size = 0, mtime, type }, body, next) => {
    // A directory, or a link, is nothing that we write.
    if (type !== 'file') {
      body.resume();
      body.on('end', next);
      return;
    }
    current = body;
    const ended = new Promise((resolve) => body.once('end', resolve));
    arrived.resolve({ entry: { name, bytes: size, at: mtime ?? new Date(0), body }, ended, next: () => next() });
  });
  const source = createReadStream(file);
  pipeline(source, createGunzip(), tar, (error) => {
    if (!error) return arrived.resolve(undefined);
    arrived.reject(error);
    current?.destroy(error);
  });
  try {
    for (;;) {
      const one = await arrived.promise;
      if (!one) return;
      arrived = Promise.withResolvers();
      arrived.promise.catch(() => {});
      yield one.entry;
      one.entry.body.resume();
      await one.ended;
      one.next();
    }
  } finally {
    arrived.promise.catch(() => {});
    source.destroy();
    tar.destroy();
  }
}

export function addText(pack: Pack, name: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const header = { name, mode: 0o600, mtime: new Date(0) };
    pack.entry(header, Buffer.from(text), (error) => (error ? reject(error) : resolve()));
  });
}

export async function addFile(pack: Pack, { name, bytes, at, body }: Entry): Promise<void> {
  const done = Promise.withResolvers<void>();
  const entry = pack.entry({ name, size: bytes, mode: 0o600, mtime: at }, (error) =>
    error ? done.reject(error) : done.resolve(),
  );
  await Promise.all([piped(body, entry), done.promise]);
}
