import { fromIso, type Instant } from '../instant.ts';
import { fits } from './property.ts';

/** A row as read, with the version that a conditional write must name. */
export interface Versioned<T> {
  value: T;
  etag: string;
}

export interface Codec<T> {
  keys(value: T): { partitionKey: string; rowKey: string };
  encode(value: T): Record<string, unknown>;
  decode(entity: Record<string, unknown>): T;
}

/** Rows of one kind in one table. Losing a race is an answer here, not an exception; an outage is an exception. */
export interface Table<T> {
  /** Undefined: another row with this key exists already. One that this very write made is ours: its answer got lost. */
  insert(value: T): Promise<Versioned<T> | undefined>;
  /** Inserts rows of one partition, 100 a request. @returns those that were new, as above; the others stay as they are. */
  insertAll(values: T[]): Promise<T[]>;
  /** Writes rows of one partition, 100 a request, over what is there: for rows that are always written the same. */
  putAll(values: T[]): Promise<void>;
  /**
   * Writes rows of one partition, 100 a request, each only if it is as it was read. Undefined: another host has changed
   * one of them, and of its hundred none is written.
   */
  writeAll(changes: Change<T>[]): Promise<Versioned<T>[] | undefined>;
  get(partitionKey: string, rowKey: string): Promise<Versioned<T> | undefined>;
  /** Undefined: another host has changed or removed the row since it was read. */
  replace(value: T, etag: string): Promise<Versioned<T> | undefined>;
  /** Removing what is gone already is fine. */
  remove(partitionKey: string, rowKey: string): Promise<void>;
  /** Removes the row if it is still as it was read. False: it has changed, or is gone. */
  removeIf(partitionKey: string, rowKey: string, etag: string): Promise<boolean>;
  /** Removes rows of one partition, 100 a request. */
  removeAll(partitionKey: string, rowKeys: string[]): Promise<void>;
  /** Row keys from `from` (inclusive) to `to` (exclusive), in their order, read page by page as far as needed. */
  list(partitionKey: string, listing?: Listing): AsyncIterable<Versioned<T>>;
}

/** A row to be written in the place of the one with this version; without one: a row that is new. */
export interface Change<T> {
  value: T;
  etag?: string | undefined;
}

export interface Listing {
  from?: string;
  to?: string;
  /** Rows a request, at most 1,000. */
  page?: number;
  /** Called with the key of a row that cannot be read, which is left out; not given: the listing fails there. */
  unreadable?: (rowKey: string, error: unknown) => void;
}

/** Reads an instant from a row, to the millisecond: the text of a Date has none. */
export function readInstant(value: unknown): Instant {
  return value instanceof Date ? value.getTime() : fromIso(String(value));
}

/** The row as a store keeps it, its keys among its properties. Table Storage has no null: an absent property is one. */
export function entityOf<T>(codec: Codec<T>, value: T): { partitionKey: string; rowKey: string } {
  const properties = Object.entries(codec.encode(value)).filter(([, one]) => one !== null && one !== undefined);
  return fits({ ...codec.keys(value), ...Object.fromEntries(properties) });
}
