import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, pidOf, processHandle } from '../../shared/executors/process/pid.ts';
import { Refusal } from '../refusal.ts';

/** Who hosts this folder; one at a time starts and stops its store. */
export interface HostCard {
  process: string;
  url: string | null;
}

const name = 'host.json';

/** The host that runs here now; undefined: none. */
export async function runningHost(state: string): Promise<HostCard | undefined> {
  const card = await read(join(state, name));
  return card && (await isAlive(card.process)) ? card : undefined;
}

/** Whether any host of this folder runs now: the one that keeps the store, or one that joined it. */
export async function anyHost(state: string): Promise<boolean> {
  const names = await readdir(state).catch(() => []);
  for (const file of names.filter((file) => file === name || joinedName.test(file))) {
    const card = await read(join(state, file));
    if (card && (await isAlive(card.process))) return true;
  }
  return false;
}

const joinedName = /^joined\.\d+\.json$/;

/** Notes a second host. @returns what takes the note away */
export async function noteJoined(state: string): Promise<() => Promise<void>> {
  const file = join(state, `joined.${process.pid}.json`);
  const card: HostCard = { process: await processHandle(process.pid), url: null };
  await writeFile(file, JSON.stringify(card));
  return () => rm(file, { force: true });
}

/**
 * Becomes the host of this folder. @returns what says others the address, and what gives the folder free.
 * @throws Refusal when a person hosts it already
 */
export async function takeLock(state: string): Promise<{ report(url: string): Promise<void>; free(): Promise<void> }> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  const file = join(state, name);
  const card: HostCard = { process: await processHandle(process.pid), url: null };
  // Written elsewhere first: no one may ever read half a card.
  const draft = `${file}.${process.pid}`;
  const write = (url: string | null) => writeFile(draft, JSON.stringify({ ...card, url }));
  await write(null);
  try {
    while (!(await linked(draft, file))) {
      const other = await runningHost(state);
      if (other) throw new Refusal(takenBy(other));
      await putAside(file, `${draft}.old`);
      // Who else puts a dead card aside at this moment has put ours aside unless it is still there a moment later.
      if (await linked(draft, file)) await sleep(100);
      const now = await read(file);
      if (now?.process === card.process) break;
    }
  } finally {
    await rm(draft, { force: true });
  }
  return {
    async report(url) {
      await write(url);
      await rename(draft, file);
    },
    free: () => rm(file, { force: true }),
  };
}

/** False: the file is there already. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the card of a host that died; the card of one that has just come is put back. */
async function putAside(file: string, aside: string): Promise<void> {
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const card = await read(aside);
  if (card && (await isAlive(card.process))) await linked(aside, file);
  await rm(aside, { force: true });
}

function takenBy({ process: handle, url }: HostCard): string {
  const where = url ? ` at ${url}` : '';
  return (
    `Lamplighter is already running in this folder (process ${pidOf(handle)}${where}). ` +
    'Stop it there with Ctrl-C, or add a second host to the same store with: lamp start --join'
  );
}

async function read(file: string): Promise<HostCard | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as HostCard;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
