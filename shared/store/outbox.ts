import type { Instant } from '../instant.ts';
import { briefly, propertyLimit } from './property.ts';
import { type Codec, readInstant, type Table, type Versioned } from './table.ts';

/** One message for one channel, from when it was decided until the channel has accepted it. */
export interface Letter {
  /** The same for the same message and channel, on each host, each time: receivers may drop a second one. */
  key: string;
  /** Name of the channel. */
  channel: string;
  /** Addresses, of channels that need them; else empty. */
  to: string[];
  /** Where else it goes when this channel fails: names of channels, first to last. */
  fallbacks: string[];
  /** The message, as `shared/alerts/message.ts` made it. */
  message: string;
  /** Incidents and steps that it reports, `<id>.<step>`. */
  reports: string[];
  createdAt: Instant;
  /** Not to be sent before. */
  notBefore: Instant;
  /** The host that sends it has it until then. */
  leasedUntil: Instant | null;
  tries: number;
  /** What failed last; null: nothing yet. */
  error: string | null;
  state: 'waiting' | 'accepted' | 'given-up';
  doneAt: Instant | null;
}

const waiting = 'waiting';
const done = 'done';
const dates = ['createdAt', 'notBefore', 'leasedUntil', 'doneAt'] as const;
const lists = ['to', 'fallbacks'] as const;
const plain = ['key', 'channel', 'message', 'tries', 'error', 'state'] as const;

/** An outage that reaches every job is one message, and names more incidents than one property holds. */
const reportsName = (at: number) => (at === 0 ? 'reports' : `reports${at + 1}`);

function codec(partitionKey: string): Codec<Letter> {
  return {
    keys: ({ key }) => ({ partitionKey, rowKey: key }),
    encode(letter) {
      const row: Record<string, unknown> = {};
      for (const name of plain) row[name] = letter[name];
      row.error = briefly(letter.error);
      for (const name of dates) row[name] = letter[name] === null ? null : new Date(letter[name]);
      for (const name of lists) row[name] = JSON.stringify(letter[name]);
      const reports = JSON.stringify(letter.reports);
      for (let at = 0; at * propertyLimit < reports.length; at += 1) {
        row[reportsName(at)] = reports.slice(at * propertyLimit, (at + 1) * propertyLimit);
      }
      return row;
    },
    decode(row) {
      const letter: Record<string, unknown> = {};
      for (const name of plain) letter[name] = row[name] ?? null;
      for (const name of dates) letter[name] = row[name] === undefined ? null : readInstant(row[name]);
      for (const name of lists) letter[name] = JSON.parse(String(row[name] ?? '[]'));
      let reports = '';
      for (let at = 0; typeof row[reportsName(at)] === 'string'; at += 1) reports += row[reportsName(at)];
      letter.reports = JSON.parse(reports || '[]');
      return letter as unknown as Letter;
    },
  };
}

export const waitingCodec = codec(waiting);
/** What was accepted or given up, for a week: a message is not made twice, and people see what was sent. */
export const doneCodec = codec(done);

export interface Outbox {
  /** @returns the letter of this key as it is: this one, or the one that was there, waiting or done. */
  put(letter: Letter): Promise<Letter>;
  /** Undefined: another sender was first. */
  replace(letter: Letter, etag: string): Promise<Versioned<Letter> | undefined>;
  waiting(): AsyncIterable<Versioned<Letter>>;
  /** Moves one to what is done; safe to do again. */
  close(letter: Letter): Promise<void>;
  /** Accepted or given up; in the order of their keys. */
  done(): AsyncIterable<Letter>;
  doneOf(key: string): Promise<Letter | undefined>;
  forget(keys: string[]): Promise<void>;
}

export function outbox(open: Table<Letter>, closed: Table<Letter>): Outbox {
  return {
    async put(letter) {
      for (;;) {
        const sent = await closed.get(done, letter.key);
        if (sent) return sent.value;
        if (await open.insert(letter)) return letter;
        const found = await open.get(waiting, letter.key);
        // Gone meanwhile: then it is among those that are done.
        if (found) return found.value;
      }
    },
    replace: open.replace,
    waiting: () => open.list(waiting, { page: 1_000 }),
    async close(letter) {
      await closed.insert(letter);
      await open.remove(waiting, letter.key);
    },
    async *done() {
      for await (const { value } of closed.list(done)) yield value;
    },
    doneOf: async (key) => (await closed.get(done, key))?.value,
    forget: (keys) => closed.removeAll(done, keys),
  };
}
