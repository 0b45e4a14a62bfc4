import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, pidOf, processHandle } from '../shared/executors/pid.ts';

/** Who hosts this folder; one at a time starts and stops its store. */
export interface HostCard {
  process: string;
  url: string | null;
}

const name = 'host.json';

/** The host that runs here now; undefined: none. */
export async function runningHost(state: string): Promise<HostCard | undefined> {
  const card = await read(state);
  return card && (await isAlive(card.process)) ? card : undefined;
}

/**
 * Becomes the host of this folder. @returns what tells others the address, and what gives the folder free.
 * @throws Error when somebody hosts it already
 */
export async function takeLock(state: string): Promise<{ tell(url: string): Promise<void>; free(): Promise<void> }> {
  await mkdir(state, { recursive: true });
  const file = join(state, name);
  const card: HostCard = { process: await processHandle(process.pid), url: null };
  for (;;) {
    try {
      await writeFile(file, JSON.stringify(card), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const other = await runningHost(state);
      if (other) throw new Error(takenBy(other));
      // Left behind by a host that died.
      await rm(file, { force: true });
    }
  }
  return {
    tell: (url) => writeFile(file, JSON.stringify({ ...card, url })),
    free: () => rm(file, { force: true }),
  };
}

function takenBy({ process: handle, url }: HostCard): string {
  const where = url ? ` at ${url}` : '';
  return (
    `Lamplighter is already running in this folder (process ${pidOf(handle)}${where}). ` +
    'Stop it there with Ctrl-C, or add a second host to the same store with: lamp start --join'
  );
}

async function read(state: string): Promise<HostCard | undefined> {
  try {
    return JSON.parse(await readFile(join(state, name), 'utf8')) as HostCard;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
