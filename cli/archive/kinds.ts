import type { JobRow } from '../../shared/run/job-row.ts';
import { isFinal, type Run } from '../../shared/run/run.ts';
import { findingCodec, stateCodec } from '../../shared/store/drift.ts';
import { eventCodec } from '../../shared/store/events.ts';
import { pastIncidentCodec } from '../../shared/store/incidents.ts';
import { metricCodec } from '../../shared/store/metrics.ts';
import { replayedCodec, replayStateCodec } from '../../shared/store/replays.ts';
import { runCodec } from '../../shared/store/runs.ts';
import { type Codec, entityOf, type Listing } from '../../shared/store/table.ts';

/** Rows of one kind, of which each job has a partition. */
export interface Kind<T> {
  table: string;
  codec: Codec<T>;
  range: Pick<Listing, 'from' | 'to'>;
  /** Of which instant a row is history, for `--since`; undefined: it belongs to all of it. */
  at(value: T): number | undefined;
  /** False: it is not over yet, and stays where it is. */
  over(value: T): boolean;
  /** Of a row that changes: which of two is the newer one has the larger number. Left out: a row never changes. */
  age?(value: T): number;
}

const kind = <T>(one: Kind<T>): Kind<unknown> => one as Kind<unknown>;
const always = () => true;
const prefixed = (prefix: string) => ({ from: `${prefix}|`, to: `${prefix}}` });

/** By the name of their folder below `rows/`. */
export const kinds: Record<string, Kind<unknown>> = {
  runs: kind<Run>({
    table: 'runs',
    codec: runCodec,
    range: {},
    at: ({ slot }) => slot,
    over: ({ state }) => isFinal(state),
  }),
  metrics: kind({ table: 'metrics', codec: metricCodec, range: {}, at: ({ slot }) => slot, over: always }),
  events: kind({ table: 'events', codec: eventCodec, range: {}, at: () => undefined, over: always }),
  incidents: kind({
    table: 'incidents',
    codec: pastIncidentCodec,
    range: {},
    at: ({ openedAt }) => openedAt,
    over: always,
  }),
  baselines: kind({
    table: 'drift',
    codec: stateCodec,
    range: prefixed('m'),
    at: () => undefined,
    over: always,
    age: ({ last }) => last,
  }),
  findings: kind({
    table: 'drift',
    codec: findingCodec,
    range: prefixed('f'),
    at: ({ found }) => found,
    over: always,
    age: ({ found, answered, signs }) =>
      Math.max(found, answered?.at ?? 0, ...signs.map((sign) => sign.found)) + (answered ? 1 : 0),
  }),
  replays: kind({ table: 'drift', codec: replayedCodec, range: prefixed('p'), at: ({ slot }) => slot, over: always }),
  'replay-states': kind({
    table: 'drift',
    codec: replayStateCodec,
    range: prefixed('s'),
    at: () => undefined,
    over: always,
  }),
};

/** A row in one line, the same whichever store it comes from. */
export function lineOf<T>(codec: Codec<T>, value: T): string {
  return JSON.stringify(entityOf(codec, value));
}

/** @throws Error: it is no row of this kind */
export function readLine<T>(codec: Codec<T>, line: string): T {
  const value = codec.decode(JSON.parse(line));
  lineOf(codec, value);
  return value;
}

/** A job as it stands where nothing of it runs or waits, and no package has registered it. */
export function settled(row: JobRow): JobRow {
  const idle = { unwritten: [], running: [], waiting: null, waitingBackfill: null };
  return { ...row, ...idle, made: 0, deployedAt: 0, alarmed: 0 };
}
