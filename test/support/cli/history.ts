import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { addText } from '../../../cli/archive/tar.ts';
import { openStore } from '../../../shared/store/azure/store.ts';
import { openEmbedded } from '../../../shared/store/embedded/store.ts';
import type { FileBody } from '../../../shared/store/files.ts';
import type { KeptStore } from '../../../shared/store/store.ts';
import { seven } from '../pipeline/cast.ts';
import { freshAccount, freshFolder } from '../storage/account.ts';

/** Both stores, by name, each time a new one. */
export const bothStores: [string, () => Promise<KeptStore>][] = [
  ['a folder', async () => openEmbedded(freshFolder())],
  [
    'Azure',
    async () => {
      const store = openStore(freshAccount());
      await store.prepare();
      return store;
    },
  ],
];

/** A file with this text, to be put into a store. */
export function fileOf(text: string): FileBody {
  const body = Buffer.from(text);
  return { bytes: body.length, at: seven, stream: Readable.from([body]) };
}

/** Header of a file of history, in front of which nothing may stand. */
export const header = { lamplighter: 'history', format: 1, made: '', jobs: null, since: null, chains: [] };

/** A sound tar of these entries, in their order, as `lamp export` would never write it. @returns its path */
export async function tarOf(entries: readonly (readonly [name: string, text: string])[]): Promise<string> {
  const path = join(freshFolder(), 'history.tar.gz');
  const tar = pack();
  const written = pipeline(tar, createGzip(), createWriteStream(path));
  for (const [name, text] of entries) await addText(tar, name, text);
  tar.finalize();
  await written;
  return path;
}

/** The same between the header and totals that fit. */
export function historyOf(entries: readonly (readonly [name: string, text: string])[]): Promise<string> {
  const rows: Record<string, number> = {};
  let [files, bytes] = [0, 0];
  for (const [name, text] of entries) {
    const [folder, kind = ''] = name.split('/');
    if (folder === 'rows') rows[kind] = (rows[kind] ?? 0) + text.trimEnd().split('\n').length;
    else {
      files += 1;
      bytes += Buffer.byteLength(text);
    }
  }
  const totals = JSON.stringify({ rows, files, bytes });
  return tarOf([['lamplighter.json', JSON.stringify(header)], ...entries, ['totals.json', totals]]);
}
