import type { Instant } from '../instant.ts';
import { type Codec, readInstant, type Table, type Versioned } from './table.ts';

/** One of the places of attempts that may run at once. Its number is its key, so that no number is taken twice. */
export interface Place {
  number: number;
  job: string;
  run: string;
  attempt: number;
  since: Instant;
}

/** An attempt that waits for a place. Keys sort as they are served. */
export interface InLine {
  /** Sorts before those that are served later; see placeOrder. */
  order: string;
  job: string;
  run: string;
  attempt: number;
  since: Instant;
}

export interface PlacesView {
  taken: Versioned<Place>[];
  /** Only the first of them. */
  line: InLine[];
}

type Row = Place | InLine;

const partition = 'places';
/** Limit of Table Storage for one page. */
const mostAtOnce = 1_000;

const keyOf = (row: Row) =>
  'number' in row ? `p|${String(row.number).padStart(5, '0')}` : `w|${row.order}|${row.job}|${row.run}`;

export const placeCodec: Codec<Row> = {
  keys: (row) => ({ partitionKey: partition, rowKey: keyOf(row) }),
  encode: ({ job, run, attempt, since }) => ({ job, run, attempt, since: new Date(since) }),
  decode(row) {
    const [kind, first = ''] = String(row.rowKey).split('|');
    const whose = {
      job: String(row.job),
      run: String(row.run),
      attempt: Number(row.attempt),
      since: readInstant(row.since),
    };
    return kind === 'p' ? { number: Number(first), ...whose } : { order: first, ...whose };
  },
};

export interface Places {
  /** What is taken, and the first `most` in line. */
  view(most: number): Promise<PlacesView>;
  /** False: another attempt has that number. */
  take(place: Place): Promise<boolean>;
  /** Frees what was seen; a place that another attempt has taken since stays as it is. */
  free(place: Versioned<Place>): Promise<void>;
  /** Being in line already is fine. */
  queue(one: InLine): Promise<void>;
  /** Not being in line is fine. */
  leave(one: InLine): Promise<void>;
}

export function places(table: Table<Row>): Places {
  return {
    async view(most) {
      const seen: PlacesView = { taken: [], line: [] };
      for await (const { value, etag } of table.list(partition, { page: mostAtOnce })) {
        if ('number' in value) seen.taken.push({ value, etag });
        else if (seen.line.push(value) >= most) break;
      }
      return seen;
    },
    take: async (place) => (await table.insert(place)) !== undefined,
    async free({ value, etag }) {
      await table.removeIf(partition, keyOf(value), etag);
    },
    async queue(one) {
      await table.insert(one);
    },
    leave: (one) => table.remove(partition, keyOf(one)),
  };
}
