import { mkdir, rm, utimes } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { type AttemptId, type Attempts, mostMark, mostResult, readResult, saysDelivering } from '../attempts.ts';
import { below, createFile, lookAt, readPart } from './files.ts';
import { storeTrouble } from './trouble.ts';

/** The log is read in pieces of this size. */
const readSize = 4 << 20;

/** The folder of one attempt, in the folder of a store. */
export const attemptFolder = (store: string, { job, run, attempt }: AttemptId) =>
  below(store, 'attempts', job, run, `${attempt}`);

/**
 * What attempts leave, as files in the folder of a store: `attempts/<job>/<run>/<attempt>/{started.json,heartbeat,log.txt,result.json}` and
 * `outputs/`. Their addresses are `file:` URLs. A job can write to its own folder, so nothing in it is trusted.
 */
export function embeddedAttempts(store: string): Attempts {
  const folderOf = (id: AttemptId) => attemptFolder(store, id);
  const file = (id: AttemptId, name: string) => below(folderOf(id), name);
  const output = (id: AttemptId, path: string) => below(folderOf(id), 'outputs', ...path.split('/'));
  const url = (path: string) => pathToFileURL(path).href;
  const modified = async (id: AttemptId, name: string) => (await lookAt(file(id, name)))?.at;
  const mark = async (id: AttemptId) => (await readPart(file(id, 'started.json'), mostMark))?.toString();

  const plain: Attempts = {
    async urls(id, outputs) {
      // The shim makes no folder: where this one is gone, the attempt is not to be begun.
      await mkdir(folderOf(id), { recursive: true, mode: 0o700 });
      return {
        blobs: {
          started: url(file(id, 'started.json')),
          heartbeat: url(file(id, 'heartbeat')),
          log: url(file(id, 'log.txt')),
          result: url(file(id, 'result.json')),
        },
        outputs: outputs.map((path) => ({ path, url: url(output(id, path)) })),
      };
    },
    outputUrl: async (id, path) => url(output(id, path)),
    async ticket() {
      throw new Error('tickets are for containers in Azure: on one machine a shim gets its specification directly');
    },
    async abandon(id, by) {
      if (await createFile(file(id, 'started.json'), JSON.stringify({ abandonedBy: by }))) return true;
      return (await mark(id))?.includes('"abandonedBy"') ?? false;
    },
    async begun(id) {
      const text = await mark(id);
      return text === undefined || text.includes('"abandonedBy"') ? undefined : modified(id, 'started.json');
    },
    async lastHeartbeat(id) {
      return (await modified(id, 'heartbeat')) ?? (await modified(id, 'started.json'));
    },
    async delivering(id) {
      const found = await readPart(file(id, 'heartbeat'), mostMark);
      return found !== undefined && saysDelivering(found.toString());
    },
    async result(id) {
      const path = file(id, 'result.json');
      const whole = (name: string) => readPart(name, mostResult + 1);
      const found = await whole(path);
      if (found) return readResult(found, path);
      // A power cut can take back the last step, the renaming of what is on the disk already.
      const draft = await whole(`${path}.new`);
      try {
        return draft && readResult(draft, `${path}.new`);
      } catch {
        return undefined;
      }
    },
    logTail: (id, most) => readPart(file(id, 'log.txt'), most, 'tail'),
    leave: (id, result) => createFile(file(id, 'result.json'), JSON.stringify(result)),
    async output(id, path, most) {
      const found = await readPart(output(id, path), most + 1);
      return found && found.length <= most ? found.toString('utf8') : undefined;
    },
    async keep(id, path) {
      if (!(await lookAt(output(id, path)))) return false;
      const now = new Date();
      await utimes(output(id, path), now, now);
      return true;
    },
    async removeAll(job, run) {
      await rm(below(store, 'attempts', job, run), { recursive: true, force: true });
    },
    log: (id, offset) => readPart(file(id, 'log.txt'), readSize, offset),
  };
  return explained(plain, store);
}

/** A full disk, or one that may not be written, in words that say what to do. */
function explained(attempts: Attempts, folder: string): Attempts {
  const entries = Object.entries(attempts).map(([name, call]) => [
    name,
    (...given: unknown[]) =>
      (call as (...given: unknown[]) => Promise<unknown>)(...given).catch((error: unknown) => {
        throw storeTrouble(folder, error);
      }),
  ]);
  return Object.fromEntries(entries) as Attempts;
}
