import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the program, whether it runs from its sources or as built in dist/. It has host.json and infra/. */
export const programRoot = rootAbove(import.meta.dirname);

function rootAbove(folder: string): string {
  if (existsSync(join(folder, 'host.json')) && existsSync(join(folder, 'infra'))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error('the folder of Lamplighter is not there: no host.json above this program');
  return rootAbove(above);
}
