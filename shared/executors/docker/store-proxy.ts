import { createHash, randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A way from containers without network to the store of this machine: a Unix socket in a folder that they can mount. */
export interface StoreProxy {
  close(): Promise<void>;
}

export const storeProxySocket = 'store.sock';
/** A store proxy that is gone is missing for at most this long. */
const lookEvery = 500;

/** Where the store proxy of an installation is; short, as the path of a Unix socket has at most 107 bytes (unix(7)). */
export function storeProxyFolder(root: string): string {
  return join(tmpdir(), `lamplighter-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`);
}

/**
 * Passes every connection at the folder's socket on to the host and port of `target`. While another process does so
 * it is left to it; when that one goes this one takes over, as containers of both hosts depend on it. Of a host that
 * was killed the folder stays: its containers hold it, and find the next host's store proxy in it.
 * @throws Error when the folder is not this user's own
 */
export async function storeProxy(folder: string, target: string): Promise<StoreProxy> {
  await ownFolder(folder);
  const path = join(folder, storeProxySocket);
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (inside) => {
    const outside = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    for (const socket of [inside, outside]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    // The one that is cut off tries again, or hears of it from its own side.
    pipeline(inside, outside, () => outside.destroy());
    pipeline(outside, inside, () => inside.destroy());
  });
  // Only a socket that listens appears under the name that containers know. Until then it keeps the folder in being.
  const own = join(folder, `${process.pid}.${randomBytes(2).toString('hex')}.sock`);
  await listening(server, own);
  await chmod(own, 0o666);
  const { ino } = await stat(own);
  const stopping = new AbortController();
  let standby = Promise.resolve();
  // Ended by the closing, or because the folder is gone, and with it all containers that saw it.
  if (await answers(path)) standby = takeOver().catch(() => {});
  else await rename(own, path);

  async function takeOver(): Promise<void> {
    do await sleep(lookEvery, undefined, { signal: stopping.signal, ref: false });
    while (await answers(path));
    await rename(own, path);
  }

  return {
    async close() {
      stopping.abort();
      await standby;
      await rm(own, { force: true });
      if ((await stat(path).catch(() => undefined))?.ino === ino) await rm(path, { force: true });
      await rmdir(folder).catch(() => {});
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** In a folder that everybody may write to another host could have made it first. */
async function ownFolder(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o711 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${folder} is not a folder of this user's: remove it, or set TMPDIR to a folder of your own`);
  }
  await chmod(folder, 0o711);
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
