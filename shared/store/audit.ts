import { batches } from '../batches.ts';
import { type AuditEntry, type AuditEvent, chained, type Head, noEntry, readEventText } from '../run/audit-chain.ts';
import type { Codec, Table } from './table.ts';

const own = 'chain';
/** A chain that came from another installation: read, never continued. */
const brought = (id: string) => `brought-${id}`;
const listOfBrought = 'brought';
/** Twelve digits; the newest entry comes first. */
const last = 999_999_999_999;
const keyOf = (number: number) => String(last - number).padStart(12, '0');

export const auditCodec: Codec<AuditEntry> = {
  keys: ({ number }) => ({ partitionKey: own, rowKey: keyOf(number) }),
  encode: ({ number, day, text, previous, digest }) => ({ number, day, event: text, previous, digest }),
  decode: (row) => {
    const text = String(row.event);
    return {
      number: Number(row.number),
      day: String(row.day),
      event: readEventText(text),
      text,
      previous: String(row.previous),
      digest: String(row.digest),
    };
  },
};

/**
 * The audit as a chain. The one conditional step is the insert of the next number: of two hosts that write at once one
 * gets it, the other reads that entry and takes the number after it. So there is no fork, and no entry is lost.
 */
export interface Audit extends Chain {
  append(event: AuditEvent): Promise<AuditEntry>;
  /** A chain of another installation, whose history was imported. @param id see {@link chainId} */
  brought(id: string): Chain;
  /** The ids of all of those. */
  broughtIds(): Promise<string[]>;
  /**
   * Adds entries, oldest first, to such a chain, or to the own one where that ends before them. Where the chain has another
   * entry under one of their numbers, nothing is written; where a host writes one meanwhile, nothing from there on.
   */
  bring(id: string | null, entries: readonly AuditEntry[]): Promise<Brought>;
}

export interface Brought {
  /** How many were new. */
  added: number;
  /** The first number under which another entry stands; null: all of them are there. */
  conflict: number | null;
}

/** Entries that are written as one, or not at all. */
const together = 100;

/** Names a chain for good: no two begin with the same entry. */
export const chainId = (first: Pick<AuditEntry, 'digest'>) => first.digest.slice(0, 16);

export interface Chain {
  /** The newest entry; undefined: there is none. */
  head(): Promise<AuditEntry | undefined>;
  /** The entry that stands under this number, whatever it says of itself. */
  get(number: number): Promise<AuditEntry | undefined>;
  /**
   * Newest first, with the number under which each stands.
   * @param unreadable called with the number of what is no entry, or null when its key is none of ours
   */
  list(
    numbers: { from: number; to: number },
    unreadable: (number: number | null) => void,
  ): AsyncIterable<{ at: number; entry: AuditEntry }>;
}

export interface Placed {
  /** Of another installation; left out: our own. */
  chain?: string;
  /** Under which number it stands. */
  at: number;
  entry: AuditEntry;
}

/** As read, with the key that it was read under: an entry that was moved says another number of itself. */
export const placedCodec: Codec<Placed> = {
  keys: ({ chain, entry }) => ({
    partitionKey: chain === undefined ? own : brought(chain),
    rowKey: keyOf(entry.number),
  }),
  encode: ({ entry }) => auditCodec.encode(entry),
  decode: (row) => ({ at: numberOf(String(row.rowKey)) ?? -1, entry: auditCodec.decode(row) }),
};

function numberOf(rowKey: string): number | undefined {
  return /^\d{12}$/.test(rowKey) ? last - Number(rowKey) : undefined;
}

/** That there is such a chain. */
export const broughtCodec: Codec<string> = {
  keys: (id) => ({ partitionKey: listOfBrought, rowKey: id }),
  encode: () => ({}),
  decode: (row) => String(row.rowKey),
};

export function audit(table: Table<Placed>, others: Table<string>): Audit {
  /** Where this process believes the chain to end: mostly right, and corrected by the first insert that fails. */
  let known: Head | undefined;
  /** This process writes one after the other: only other hosts are in its way. */
  let turn: Promise<unknown> = Promise.resolve();

  const chain = (partition: string): Chain => ({
    async head() {
      for await (const { value } of table.list(partition, { page: 1 })) return value.entry;
      return undefined;
    },
    get: async (number) => (await table.get(partition, keyOf(number)))?.value.entry,
    async *list({ from, to }, unreadable) {
      const listing = { from: keyOf(to), to: `${keyOf(from)}~`, page: 1_000 };
      for await (const { value } of table.list(partition, {
        ...listing,
        unreadable: (rowKey) => unreadable(numberOf(rowKey) ?? null),
      })) {
        if (value.at < 0) unreadable(null);
        else yield value;
      }
    },
  });
  const ours = chain(own);

  async function append(event: AuditEvent): Promise<AuditEntry> {
    for (let before = known; ; before = undefined) {
      const entry = chained(event, before ?? (await ours.head()) ?? noEntry);
      const written = await table.insert({ at: entry.number, entry });
      if (!written) continue;
      known = entry;
      return entry;
    }
  }

  return {
    append(event) {
      const mine = turn.then(() => append(event));
      turn = mine.catch(() => {
        known = undefined;
      });
      return mine;
    },
    ...ours,
    brought: (id) => chain(brought(id)),
    async broughtIds() {
      const ids: string[] = [];
      for await (const { value } of others.list(listOfBrought)) ids.push(value);
      return ids;
    },
    async bring(id, entries) {
      if (id !== null) await others.insert(id);
      const target = id === null ? ours : chain(brought(id));
      const there = await digests(target, entries);
      const before = conflictOf(there, entries);
      if (before !== null) return { added: 0, conflict: before };
      let added = 0;
      const missing = entries.filter(({ number }) => !there.has(number));
      for (const some of batches(missing, together)) {
        const changes = some.map((entry) => ({
          value: { at: entry.number, entry, ...(id !== null && { chain: id }) },
        }));
        if (await table.writeAll(changes)) {
          added += some.length;
          continue;
        }
        // Another host was first; or this write was, and its answer got lost.
        const now = await digests(target, some);
        const conflict = conflictOf(now, some) ?? some.find(({ number }) => !now.has(number))?.number ?? null;
        if (conflict !== null) return { added, conflict };
      }
      return { added, conflict: null };
    },
  };
}

/** Number → digest of what a chain has under the numbers of these entries; '' where that cannot be read. */
async function digests(chain: Chain, entries: readonly AuditEntry[]): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  const range = { from: entries[0]?.number ?? 1, to: entries.at(-1)?.number ?? 1 };
  const unreadable = (number: number | null) => number !== null && found.set(number, '');
  for await (const { at, entry } of chain.list(range, unreadable)) found.set(at, entry.digest);
  return found;
}

/** The first of the entries in whose place another one stands. */
function conflictOf(there: ReadonlyMap<number, string>, entries: readonly AuditEntry[]): number | null {
  return entries.find(({ number, digest }) => (there.get(number) ?? digest) !== digest)?.number ?? null;
}
