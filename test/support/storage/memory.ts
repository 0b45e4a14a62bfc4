import { randomBytes } from 'node:crypto';
import type { Instant } from '../../../shared/instant.ts';
import { attemptResult } from '../../../shared/run/attempt.ts';
import { type AttemptId, type Attempts, UnreadableResult } from '../../../shared/store/attempts.ts';
import { type Rows, rowsOver, type Store } from '../../../shared/store/store.ts';
import type { Codec, Table } from '../../../shared/store/table.ts';
import { memoryTable } from './memory-table.ts';
import { SteppedQueue } from './queue.ts';

export interface MemoryStore {
  store: Store;
  queue: SteppedQueue;
  /** The same rows as another process opens them: it remembers only what it has written itself. */
  rows(): Rows;
  /** Creates a blob at an address that the store gave, as a shim does. False: it is there already. */
  create(url: string, body: string): Promise<boolean>;
}

/** A whole store in memory by the clock of a test: thousands of slots a second, the same for the same seed. */
export function memoryStore(clock: () => Instant): MemoryStore {
  const blobs = new Map<string, { text: string; at: Instant }>();
  const queue = new SteppedQueue(clock);
  const create = (name: string, text: string) => {
    if (blobs.has(name)) return false;
    blobs.set(name, { text, at: clock() });
    return true;
  };
  const nudgeKey = randomBytes(32);
  const tables = new Map<unknown, Table<unknown>>();
  const open = <T>(_name: string, codec: Codec<T>): Table<T> => {
    const table = (tables.get(codec) as Table<T> | undefined) ?? memoryTable(codec);
    tables.set(codec, table as Table<unknown>);
    return table;
  };
  const store: Store = {
    ...rowsOver(open),
    keys: async () => nudgeKey,
    launches: queue,
    attempts: attemptsIn(blobs, create, clock),
    bundles: {
      put: async (digest, zip) => void create(`${digest}.zip`, zip.toString('base64')),
      url: async (digest) => `${digest}.zip`,
      get: async (digest) => {
        const found = blobs.get(`${digest}.zip`);
        return found && Buffer.from(found.text, 'base64');
      },
    },
    prepare: async () => {},
    time: async () => Math.floor(clock() / 1_000) * 1_000,
  };
  return { store, queue, rows: () => rowsOver(open), create: async (url, body) => create(url, body) };
}

function attemptsIn(
  blobs: Map<string, { text: string; at: Instant }>,
  create: (name: string, text: string) => boolean,
  clock: () => Instant,
): Attempts {
  const path = ({ job, run, attempt }: AttemptId, name: string) => `${job}/${run}/${attempt}/${name}`;
  return {
    urls: async (id, outputs) => ({
      blobs: {
        started: path(id, 'started.json'),
        heartbeat: path(id, 'heartbeat'),
        log: path(id, 'log.txt'),
        result: path(id, 'result.json'),
      },
      outputs: outputs.map((name) => ({ path: name, url: path(id, `outputs/${name}`) })),
    }),
    outputUrl: async (id, name) => path(id, `outputs/${name}`),
    async ticket(id, spec) {
      blobs.set(path(id, 'spec.json'), { text: JSON.stringify(spec), at: clock() });
      return path(id, 'spec.json');
    },
    async abandon(id, by) {
      const name = path(id, 'started.json');
      return (
        create(name, JSON.stringify({ abandonedBy: by })) || (blobs.get(name)?.text.includes('abandonedBy') ?? false)
      );
    },
    async begun(id) {
      const found = blobs.get(path(id, 'started.json'));
      return found?.text.includes('abandonedBy') ? undefined : found?.at;
    },
    lastHeartbeat: async (id) => (blobs.get(path(id, 'heartbeat')) ?? blobs.get(path(id, 'started.json')))?.at,
    delivering: async (id) => blobs.get(path(id, 'heartbeat'))?.text.includes('delivering') ?? false,
    async logTail(id, most) {
      const found = blobs.get(path(id, 'log.txt'));
      return found && Buffer.from(found.text).subarray(-most);
    },
    leave: async (id, result) => create(path(id, 'result.json'), JSON.stringify(result)),
    async result(id) {
      const found = blobs.get(path(id, 'result.json'));
      if (!found) return undefined;
      try {
        return attemptResult.parse(JSON.parse(found.text));
      } catch (error) {
        throw new UnreadableResult(path(id, 'result.json'), error);
      }
    },
    async output(id, output, most) {
      const text = blobs.get(path(id, `outputs/${output}`))?.text;
      return text !== undefined && text.length <= most ? text : undefined;
    },
    keep: async (id, output) => blobs.has(path(id, `outputs/${output}`)),
    async removeAll(job, run) {
      for (const name of blobs.keys()) if (name.startsWith(`${job}/${run}/`)) blobs.delete(name);
    },
    log: async () => undefined,
  };
}
