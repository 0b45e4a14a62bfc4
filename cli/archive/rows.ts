import { batches } from '../../shared/batches.ts';
import type { KeptStore } from '../../shared/store/store.ts';
import type { Table, Versioned } from '../../shared/store/table.ts';
import { type Kind, lineOf } from './kinds.ts';

/** What became of rows. */
export interface Tally {
  added: number;
  /** Written over an older one. */
  newer: number;
  /** There already, and the same. */
  there: number;
  /** There already in another form, which stays. */
  kept: number;
}

/** Rows that are looked at together. */
const together = 100;

/** @returns those that stand in the store now as they are here; the others were kept */
export async function writeRows<T>(store: KeptStore, kind: Kind<T>, values: readonly T[], tally: Tally): Promise<T[]> {
  const table = store.rows(kind.table, kind.codec);
  const standing: T[] = [];
  const partitions = Map.groupBy(values, (value) => kind.codec.keys(value).partitionKey);
  for (const [partition, all] of partitions) {
    for (const some of batches(all, together)) {
      standing.push(...(await writeSome(table, kind, partition, some, tally)));
    }
  }
  return standing;
}

async function writeSome<T>(table: Table<T>, kind: Kind<T>, partition: string, values: T[], tally: Tally) {
  const fresh = new Set(await table.insertAll(values));
  tally.added += fresh.size;
  const others = values.filter((value) => !fresh.has(value));
  if (others.length === 0) return values;
  const there = await among(table, kind, partition, others);
  const kept = new Set<T>();
  for (const value of others) {
    const found = there.get(kind.codec.keys(value).rowKey);
    if (found && lineOf(kind.codec, found.value) === lineOf(kind.codec, value)) tally.there += 1;
    else if (found && kind.age && kind.age(value) > kind.age(found.value) && (await table.replace(value, found.etag)))
      tally.newer += 1;
    else kept.add(value);
  }
  tally.kept += kept.size;
  return values.filter((value) => !kept.has(value));
}

/** The rows that the store has under the keys of these, by their row keys. */
async function among<T>(table: Table<T>, { codec }: Kind<T>, partition: string, values: readonly T[]) {
  const keys = new Set(values.map((value) => codec.keys(value).rowKey));
  const [first = '', ...more] = [...keys].sort();
  const found = new Map<string, Versioned<T>>();
  const range = { from: first, to: `${more.at(-1) ?? first}!`, page: 1_000 };
  for await (const one of table.list(partition, { ...range, unreadable: () => {} })) {
    const { rowKey } = codec.keys(one.value);
    if (keys.has(rowKey)) found.set(rowKey, one);
  }
  return found;
}
