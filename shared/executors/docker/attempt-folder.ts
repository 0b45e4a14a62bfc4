import { randomBytes } from 'node:crypto';
import { chmod, chown, copyFile, mkdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AttemptSpec } from '../../run/attempt.ts';
import { StartError } from '../executor.ts';
import { insideFolder, type Placement, usualUser } from './container.ts';

/** What the attempt reads, below its folder. */
const reading = 'in';

export interface MovedIn extends Pick<Placement, 'mount' | 'user'> {
  /** With the addresses as they hold in the container. */
  spec: AttemptSpec;
}

/**
 * Makes the attempt's own folder all that its container needs to see: the bundle and the inputs are copied into it, as
 * they are for this user's eyes alone. An input that is missing is left for the shim to report.
 * @param spec of a store in folders: each address is a `file:` URL
 * @throws StartError: it is of another store
 */
export async function moveIn(spec: AttemptSpec): Promise<MovedIn> {
  if (!spec.blobs.started.startsWith('file:')) {
    const what = 'a container leaves its log and result in a folder of this machine, and the store is an account';
    throw new StartError('configuration', `${what}: unset LAMPLIGHTER_STORAGE, or run the job as a process`);
  }
  const folder = dirname(fileURLToPath(spec.blobs.started));
  const owner = await takeFolder(folder);
  // <store>/attempts/<job>/<run>/<attempt>
  const store = resolve(folder, '../../../..');
  const copies: Promise<void>[] = [];
  const copied = (url: string, name: string) => {
    copies.push(copy(store, fileURLToPath(url), join(folder, reading, name), owner));
    return inside(`${reading}/${name}`);
  };
  const left = (url: string) => inside(relative(folder, fileURLToPath(url)));
  const { started, heartbeat, log, result } = spec.blobs;
  const moved = {
    ...spec,
    bundle: { ...spec.bundle, url: copied(spec.bundle.url, 'bundle.zip') },
    inputs: spec.inputs.map((input, at) => ({ ...input, url: copied(input.url, `${at}`) })),
    outputs: spec.outputs.map((output) => ({ ...output, url: left(output.url) })),
    blobs: { started: left(started), heartbeat: left(heartbeat), log: left(log), result: left(result) },
  };
  await Promise.all(copies);
  return { spec: moved, mount: folder, user: owner ? usualUser : ownUser() };
}

/** Removes what the attempt was given to read, when it is over. */
export async function clearOut(folder: string): Promise<void> {
  await rm(join(folder, reading), { recursive: true, force: true });
}

type Owner = { uid: number; gid: number };

/** @returns whom the files must belong to; undefined: this user, who is not root, and whom the container runs as */
async function takeFolder(folder: string): Promise<Owner | undefined> {
  await mkdir(join(folder, reading), { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = usualUser.split(':').map(Number) as [number, number];
  await Promise.all([chown(folder, uid, gid), chown(join(folder, reading), uid, gid)]);
  return { uid, gid };
}

async function copy(store: string, from: string, to: string, owner: Owner | undefined): Promise<void> {
  // Started twice, the first shim may be reading it already.
  const passing = `${to}.${randomBytes(6).toString('hex')}`;
  try {
    // Another job's container may have left a link in the place of its output, which would lead anywhere on this machine.
    const led = relative(await realpath(store), await realpath(from));
    if (led !== relative(store, from)) return;
    await copyFile(from, passing);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await chmod(passing, 0o600);
  if (owner) await chown(passing, owner.uid, owner.gid);
  await rename(passing, to);
}

function inside(name: string): string {
  return pathToFileURL(join(insideFolder, name)).href;
}

function ownUser(): string {
  return `${process.getuid?.()}:${process.getgid?.()}`;
}
