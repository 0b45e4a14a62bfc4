import { pathToFileURL } from 'node:url';
import { type Bundles, mostRead } from '../bundles.ts';
import { below, lookAt, putFile, readPart } from './files.ts';
import { storeTrouble } from './trouble.ts';

/** Code of jobs as `<digest>.zip` below `folder`. */
export function embeddedBundles(folder: string): Bundles {
  const file = (digest: string) => below(folder, `${digest}.zip`);
  return {
    async put(digest, zip) {
      try {
        // The name says what is in it: one that is there is the same.
        if ((await lookAt(file(digest)))?.size !== zip.length) await putFile(file(digest), zip);
      } catch (error) {
        throw storeTrouble(folder, error);
      }
    },
    url: async (digest) => pathToFileURL(file(digest)).href,
    async get(digest) {
      const found = await lookAt(file(digest));
      return found && found.size <= mostRead ? readPart(file(digest), mostRead) : undefined;
    },
  };
}
