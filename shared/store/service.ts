import { type Instant, minute } from '../instant.ts';
import { type Codec, readInstant, type Table, type Versioned } from './table.ts';

/**
 * Facts about the service itself. `cursor`: all slots up to here are claimed. `heartbeat`: the last tick. `secrets` and
 * `channels`: the last time that all of them were checked. `forgotten`: the last time that all old history was removed.
 * `listed`: the last time that lists of events were compared with the audit.
 * `confirmed`: a person has said that this is the right time. `behind|<job>`: slots of this job are claimed up to here only.
 */
type MarkName =
  | 'cursor'
  | 'heartbeat'
  | 'secrets'
  | 'channels'
  | 'forgotten'
  | 'listed'
  | 'confirmed'
  | `behind|${string}`;

export interface Mark {
  name: MarkName;
  at: Instant;
  host: string;
  /** Of the cursor: how far each package has come that ticks just now, by the digest of what it expects. */
  packages?: Record<string, Instant>;
}

/** A package that has come no further than this behind the cursor works side by side with the one that moved it. */
export const sideBySide = 10 * minute;

const partition = 'service';

export const markCodec: Codec<Mark> = {
  keys: ({ name }) => ({ partitionKey: partition, rowKey: name }),
  encode: ({ at, host, packages }) => ({ at: new Date(at), host, packages: packages && JSON.stringify(packages) }),
  decode(row) {
    const mark = { name: row.rowKey as MarkName, at: readInstant(row.at), host: String(row.host ?? '') };
    return row.packages === undefined ? mark : { ...mark, packages: JSON.parse(String(row.packages)) };
  },
};

/** What a tick knows before it begins. */
export interface Progress {
  cursor: Versioned<Mark> | undefined;
  heartbeat: Instant | undefined;
  confirmed: Instant | undefined;
  /** Jobs that could not be claimed as far as the others, and how far they were. */
  behind: ReadonlyMap<string, Instant>;
}

export interface Marks {
  /** Undefined: never set. */
  get(name: MarkName): Promise<Instant | undefined>;
  /** Moves a mark forward; a mark never goes back, whichever host writes last. */
  advance(name: MarkName, at: Instant, host: string): Promise<void>;
  /** Sets a mark whatever it was: a person's word is the newest, also by a clock that was ahead. */
  set(name: 'confirmed', at: Instant, host: string): Promise<void>;
  /**
   * All that a tick must know, in one request.
   * @param unreadable called with the name of a mark that cannot be read, which is left out; the cursor alone must not be
   */
  progress(unreadable?: (name: string, error: unknown) => void): Promise<Progress>;
  /** Moves the cursor forward for one package. @param seen the cursor as read, which saves reading it again */
  move(digest: string, at: Instant, host: string, seen?: Versioned<Mark>): Promise<void>;
  /** Sets a mark, back too, unless another host has written since it stood at `seen`. @returns false: one has */
  setBack(name: 'cursor' | 'heartbeat', at: Instant, host: string, seen: Instant): Promise<boolean>;
  setBehind(job: string, at: Instant, host: string): Promise<void>;
  /** The job has caught up with the others. */
  clearBehind(job: string): Promise<void>;
}

export function marks(table: Table<Mark>): Marks {
  const get = (name: MarkName) => table.get(partition, name);
  /** As this process saw or wrote it last, which saves each tick a read: good for a conditional write. */
  let heartbeat: Versioned<Mark> | undefined;
  /** Those that could not be read by the last look at all of them. */
  const unreadable = new Set<string>();

  /** Reads, changes and writes until no other host wrote in between. `change` returns undefined to leave it alone. */
  async function amend(
    name: MarkName,
    change: (mark: Mark | undefined) => Mark | undefined,
    seen?: Versioned<Mark>,
  ): Promise<boolean> {
    for (let found = seen ?? (await get(name)); ; found = await get(name)) {
      const mark = change(found?.value);
      if (!mark) return false;
      const written = found ? await table.replace(mark, found.etag) : await table.insert(mark);
      if (name === 'heartbeat') heartbeat = written;
      if (written) return true;
    }
  }

  return {
    get: async (name) => (await get(name))?.value.at,
    async advance(name, at, host) {
      // A tick that could not read the last one's writes its own over it.
      if (unreadable.delete(name)) return table.putAll([{ name, at, host }]);
      const seen = name === 'heartbeat' ? heartbeat : undefined;
      await amend(name, (mark) => (mark && mark.at >= at ? undefined : { ...mark, name, at, host }), seen);
    },
    async set(name, at, host) {
      await amend(name, () => ({ name, at, host }));
    },
    async progress(report) {
      const found = new Map<string, Versioned<Mark>>();
      unreadable.clear();
      const leftOut = (name: string, error: unknown) => {
        // Without it the slots of an outage would be forgotten.
        if (name === 'cursor') throw error;
        unreadable.add(name);
        report?.(name, error);
      };
      // Between them lie the keys of the installation, which are no marks.
      for await (const row of table.list(partition, { to: 'key|', unreadable: leftOut }))
        found.set(row.value.name, row);
      heartbeat = found.get('heartbeat');
      const behind = [...found.values()].filter(({ value }) => value.name.startsWith('behind|'));
      return {
        cursor: found.get('cursor'),
        heartbeat: found.get('heartbeat')?.value.at,
        confirmed: found.get('confirmed')?.value.at,
        behind: new Map(behind.map(({ value }) => [value.name.slice('behind|'.length), value.at])),
      };
    },
    async move(digest, at, host, seen) {
      await amend('cursor', (mark) => moved(mark, digest, at, host), seen);
    },
    setBack: (name, at, host, seen) =>
      amend(name, (mark) => (mark && mark.at !== seen ? undefined : { name, at, host })),
    async setBehind(job, at, host) {
      const name = `behind|${job}` as const;
      await amend(name, (mark) => (mark && mark.at <= at ? undefined : { name, at, host }));
    },
    clearBehind: (job) => table.remove(partition, `behind|${job}`),
  };
}

/** Packages that have fallen behind work no more, and are forgotten. */
function moved(mark: Mark | undefined, digest: string, at: Instant, host: string): Mark | undefined {
  const before = mark?.packages ?? {};
  const most = Math.max(mark?.at ?? at, at);
  if (mark && (before[digest] ?? Number.NEGATIVE_INFINITY) >= at) return undefined;
  const live = Object.entries({ ...before, [digest]: at }).filter(([, reached]) => reached > most - sideBySide);
  return { name: 'cursor', at: most, host, packages: Object.fromEntries(live) };
}
