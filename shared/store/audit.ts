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
  /** Adds entries in their order to such a chain, or to the own one where that ends before them. @returns how many were new */
  bring(id: string | null, entries: readonly AuditEntry[]): Promise<number>;
}

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
      const placed = entries.map((entry) => ({ at: entry.number, entry, ...(id !== null && { chain: id }) }));
      return (await table.insertAll(placed)).length;
    },
  };
}
