import type { Replayed, ReplayState } from '../drift/replay.ts';
import type { Instant } from '../instant.ts';
import { parseRunId } from '../run/run.ts';
import { inverted } from './inverted.ts';
import { propertyLimit } from './property.ts';
import type { Codec, Table, Versioned } from './table.ts';

/** Replays by the service, in the table of drift: one row of each, newest first, and one of what is known of all. */

const stateKey = 's|replay';

export const replayStateCodec: Codec<ReplayState> = {
  keys: ({ job }) => ({ partitionKey: job, rowKey: stateKey }),
  encode: ({ job: _job, ...state }) => ({ state: fitting({ ...state }, ['expected', 'unusable']) }),
  decode: (row) => ({ ...JSON.parse(String(row.state)), job: String(row.partitionKey) }),
};

export const replayedCodec: Codec<Replayed> = {
  keys: ({ job, run, slot }) => ({ partitionKey: job, rowKey: key(run, slot) }),
  encode: ({ job: _job, ...one }) => ({ replay: fitting({ ...one }, ['problems', 'worst', 'answers']) }),
  decode: (row) => ({ ...JSON.parse(String(row.replay)), job: String(row.partitionKey) }),
};

function key(run: string, slot: Instant): string {
  return `p|${inverted(parseRunId(run)?.slot ?? slot)}|${run.split('.')[1] ?? ''}`;
}

/** Without these, one after the other, until it has room. */
function fitting(whole: Record<string, unknown>, spare: readonly string[]): string {
  for (const name of ['', ...spare]) {
    if (name !== '') whole[name] = Array.isArray(whole[name]) ? [] : {};
    const text = JSON.stringify(whole);
    if (text.length <= propertyLimit) return text;
  }
  throw new RangeError(`what is kept of a replay takes more than the ${propertyLimit} characters of a row`);
}

export interface Replays {
  state(job: string): Promise<Versioned<ReplayState> | undefined>;
  /** False: another host has written it meanwhile. @param etag left out: there is none yet */
  putState(state: ReplayState, etag?: string): Promise<boolean>;
  put(replayed: Replayed): Promise<void>;
  /** Newest first, at most `count`. */
  list(job: string, count: number): Promise<Replayed[]>;
  removeAll(job: string, runs: readonly { id: string; slot: Instant }[]): Promise<void>;
}

export function replays(states: Table<ReplayState>, table: Table<Replayed>): Replays {
  return {
    state: (job) => states.get(job, stateKey),
    async putState(state, etag) {
      return (await (etag === undefined ? states.insert(state) : states.replace(state, etag))) !== undefined;
    },
    put: (replayed) => table.putAll([replayed]),
    async list(job, count) {
      const found: Replayed[] = [];
      if (count <= 0) return found;
      for await (const { value } of table.list(job, { from: 'p|', to: 'p}', page: Math.min(count, 1_000) })) {
        found.push(value);
        if (found.length === count) break;
      }
      return found;
    },
    removeAll: (job, runs) =>
      table.removeAll(
        job,
        runs.map(({ id, slot }) => key(id, slot)),
      ),
  };
}
