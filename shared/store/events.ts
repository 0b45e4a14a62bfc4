import { randomBytes } from 'node:crypto';
import type { JobEvent } from '../run/job-event.ts';
import { cut } from '../text.ts';
import { inverted } from './inverted.ts';
import { brieflyAsked } from './property.ts';
import { type Codec, readInstant, type Table } from './table.ts';

const detailLimit = 2_000;
/** The job as it was deployed: the one that makes it keeps it to what a row has room for. */
const snapshotName = 'manifest';

export const eventCodec: Codec<JobEvent> = {
  keys: ({ job, at, id = '' }) => ({
    partitionKey: job,
    rowKey: `${inverted(at)}|${id}`,
  }),
  encode: ({ at, kind, by, why, details }) => ({
    at: new Date(at),
    kind,
    ...brieflyAsked({ by, why }),
    details: JSON.stringify(details, (name, value) =>
      typeof value === 'string' && name !== snapshotName ? cut(value, detailLimit) : value,
    ),
  }),
  decode: (row) => ({
    job: String(row.partitionKey),
    at: readInstant(row.at),
    kind: row.kind as JobEvent['kind'],
    by: String(row.by),
    why: String(row.why ?? ''),
    details: JSON.parse(String(row.details)),
  }),
};

export interface Events {
  append(event: JobEvent): Promise<void>;
  /** Newest first. */
  list(job: string): AsyncIterable<JobEvent>;
}

export function events(table: Table<JobEvent>): Events {
  return {
    async append(event) {
      await table.insert({ id: randomBytes(4).toString('hex'), ...event });
    },
    async *list(job) {
      for await (const { value } of table.list(job, { page: 50 })) yield value;
    },
  };
}
