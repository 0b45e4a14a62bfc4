import { randomBytes } from 'node:crypto';
import type { AuditEvent } from '../run/audit-chain.ts';
import type { JobEvent } from '../run/job-event.ts';
import { cut } from '../text.ts';
import type { Audit } from './audit.ts';
import { inverted } from './inverted.ts';
import { brieflyAsked } from './property.ts';
import { type Codec, readInstant, type Table } from './table.ts';

const detailLimit = 2_000;
/** The job as it was deployed: the one that makes it keeps it to what a row has room for. */
const snapshotName = 'manifest';

/** An event in the list of its job, and the entry of the audit that it is. */
export interface ListedEvent {
  event: AuditEvent;
  /** Number of its entry; null: it was written before there was a chain, or by no host of ours. */
  entry: number | null;
  /** The chain of that entry, where it is of another installation whose history was imported. */
  chain?: string;
}

const rowKeyOf = ({ at, id }: Pick<AuditEvent, 'at' | 'id'>) => `${inverted(at)}|${id}`;

export const eventCodec: Codec<ListedEvent> = {
  keys: ({ event }) => ({ partitionKey: event.job, rowKey: rowKeyOf(event) }),
  encode: ({ event: { at, kind, by, why, details }, entry, chain }) => ({
    at: new Date(at),
    kind,
    by,
    why,
    details: JSON.stringify(details),
    entry,
    chain,
  }),
  decode: (row) => ({
    event: {
      job: String(row.partitionKey),
      at: readInstant(row.at),
      id: String(row.rowKey).slice(String(row.rowKey).indexOf('|') + 1),
      kind: row.kind as JobEvent['kind'],
      by: String(row.by),
      why: String(row.why ?? ''),
      details: JSON.parse(String(row.details)),
    },
    entry: row.entry === undefined || row.entry === null ? null : Number(row.entry),
    ...(typeof row.chain === 'string' && { chain: row.chain }),
  }),
};

export interface Events {
  /**
   * Writes an entry into the chain of the audit, then into the list of its job. With an id: the same again is there once.
   * Comes before what it is about: nothing is done that the audit does not know.
   */
  append(event: JobEvent): Promise<void>;
  /** Newest first. */
  list(job: string): AsyncIterable<JobEvent>;
  /** The same with the entries of the audit. @param unreadable called for a row that is no event */
  listed(job: string, unreadable: (rowKey: string) => void): AsyncIterable<ListedEvent>;
  /** Lists an entry again whose host died before it was listed, or whose row was removed. False: it is listed. */
  relist(event: AuditEvent, entry: number): Promise<boolean>;
}

export function events(table: Table<ListedEvent>, audit: Pick<Audit, 'append'>): Events {
  return {
    async append(given) {
      const event = kept({ ...given, id: given.id ?? randomBytes(4).toString('hex') });
      // Listed means chained: the list comes second.
      if (given.id !== undefined && (await table.get(event.job, rowKeyOf(event)))) return;
      const { number } = await audit.append(event);
      await table.insert({ event, entry: number });
    },
    async *list(job) {
      for await (const { value } of table.list(job, { page: 50 })) yield value.event;
    },
    async *listed(job, unreadable) {
      for await (const { value } of table.list(job, { page: 1_000, unreadable })) yield value;
    },
    async relist(event, entry) {
      return (await table.insert({ event, entry })) !== undefined;
    },
  };
}

/** As long as a row takes it, and in characters that storage gives back as they were: what is digested is what is kept. */
function kept(event: AuditEvent): AuditEvent {
  const { by, why } = brieflyAsked(event);
  const details = Object.entries(event.details).map(([name, value]) => {
    if (typeof value !== 'string') return [name, value];
    return [name, (name === snapshotName ? value : cut(value, detailLimit)).toWellFormed()];
  });
  return { ...event, by: by.toWellFormed(), why: why.toWellFormed(), details: Object.fromEntries(details) };
}
