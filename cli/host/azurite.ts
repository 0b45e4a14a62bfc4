import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createConnection, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, processHandle, terminate } from '../../shared/executors/process/pid.ts';

/** The store of one machine: Azurite on disk, in the state folder, for this user alone. */
export interface Azurite {
  connection: string;
  /** It outlived a host that died, and was found again. */
  adopted: boolean;
  stop(): Promise<void>;
}

/** What `store.json` says to other `lamp` commands. */
interface Card {
  process: string;
  ports: { blob: number; queue: number; table: number };
  /** Of this store alone, so that no other user of the machine and no web page gets in. */
  key: string;
}

const account = 'lamplighter';
const patience = 20_000;

/** The connection of a store that runs already; undefined: none does. */
export async function runningStore(state: string): Promise<string | undefined> {
  const card = await readCard(state);
  return card && (await isAlive(card.process)) ? connection(card) : undefined;
}

export interface KeepOptions {
  /** Reported when the store has ended by itself, and when it could not be started again yet. */
  trouble: (error: Error) => void;
  /** Called when it is there again: up to 5 s of what was written last may be lost. */
  restored: () => Promise<void>;
}

/**
 * Starts the store, or takes over one that is still running, and starts it again on the same ports whenever it ends by
 * itself. The caller holds the lock of the folder.
 */
export async function startStore(state: string, keep?: KeepOptions): Promise<Azurite> {
  const old = await readCard(state);
  const adopted = old !== undefined && (await isAlive(old.process));
  let card = adopted ? old : await launchStore(state, old);
  const stopping = new AbortController();
  const keeping = keep && watchOver();
  return {
    connection: connection(card),
    adopted,
    async stop() {
      stopping.abort();
      await keeping;
      await stop(card);
    },
  };

  async function watchOver() {
    const pause = (ms: number) => sleep(ms, undefined, { signal: stopping.signal }).catch(() => {});
    for (let wait = 500; !stopping.signal.aborted; await pause(wait)) {
      if (await isAlive(card.process)) {
        wait = 500;
        continue;
      }
      keep?.trouble(new Error('Azurite, the store, has ended by itself; starting it again'));
      try {
        card = await launchStore(state, card, card.ports);
        await keep?.restored();
      } catch (error) {
        keep?.trouble(error instanceof Error ? error : new Error(String(error)));
        wait = Math.min(wait * 2, 10_000);
      }
    }
  }
}

/** @param fixed ports to insist on: running jobs know them; else those of last time when they are free */
async function launchStore(state: string, old: Card | undefined, fixed?: Card['ports']): Promise<Card> {
  const ports = fixed ?? (old && (await allFree(old.ports)) ? old.ports : await freePorts());
  const fresh: Card = { process: '', ports, key: old?.key ?? randomBytes(32).toString('base64') };
  await mkdir(join(state, 'store'), { recursive: true });
  const child = spawnAzurite(state, fresh);
  fresh.process = await processHandle(child.pid ?? 0);
  await listening(child, fresh, join(state, 'azurite.log'));
  const file = join(state, 'store.json');
  await writeFile(`${file}.new`, `${JSON.stringify(fresh, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return fresh;
}

function spawnAzurite(state: string, { ports, key }: Card): ChildProcess {
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const log = openSync(join(state, 'azurite.log'), 'a');
  // A group of its own: Ctrl-C is for the host, which still has to write while it stops.
  const child = spawn(
    process.execPath,
    [
      program,
      ...['--silent', '--disableTelemetry', '--skipApiVersionCheck', '--location', join(state, 'store')],
      ...['--blobPort', `${ports.blob}`, '--queuePort', `${ports.queue}`, '--tablePort', `${ports.table}`],
    ],
    {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, AZURITE_ACCOUNTS: `${account}:${key}` },
      cwd: dirname(program),
    },
  );
  closeSync(log);
  child.unref();
  return child;
}

async function listening(child: ChildProcess, { ports }: Card, log: string): Promise<void> {
  const deadline = Date.now() + patience;
  const gone = child.exitCode === null ? once(child, 'exit').then(() => true) : Promise.resolve(true);
  for (const port of Object.values(ports)) {
    while (!(await answers(port))) {
      if (await Promise.race([gone, sleep(25, false)])) {
        throw new Error(`the store (Azurite) ended at its start; ${log} says why`);
      }
      if (Date.now() > deadline) throw new Error(`the store (Azurite) does not listen on port ${port}; see ${log}`);
    }
  }
}

async function stop({ process: handle }: Card): Promise<void> {
  await terminate(handle);
  const deadline = Date.now() + patience;
  while ((await isAlive(handle)) && Date.now() < deadline) await sleep(25);
}

async function readCard(state: string): Promise<Card | undefined> {
  try {
    return JSON.parse(await readFile(join(state, 'store.json'), 'utf8')) as Card;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function connection({ ports, key }: Card): string {
  return [
    'DefaultEndpointsProtocol=http',
    `AccountName=${account}`,
    `AccountKey=${key}`,
    `BlobEndpoint=http://127.0.0.1:${ports.blob}/${account}`,
    `QueueEndpoint=http://127.0.0.1:${ports.queue}/${account}`,
    `TableEndpoint=http://127.0.0.1:${ports.table}/${account}`,
  ].join(';');
}

async function freePorts(): Promise<Card['ports']> {
  const servers = [createServer(), createServer(), createServer()];
  const ports = servers.map(async (server) => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  });
  const [blob = 0, queue = 0, table = 0] = await Promise.all(ports);
  for (const server of servers) server.close();
  return { blob, queue, table };
}

async function allFree(ports: Card['ports']): Promise<boolean> {
  const busy = await Promise.all(Object.values(ports).map(answers));
  return !busy.includes(true);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}
