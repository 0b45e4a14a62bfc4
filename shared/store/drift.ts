import type { Finding } from '../drift/finding.ts';
import type { MetricState } from '../drift/state.ts';
import { inverted } from './inverted.ts';
import { LastWritten } from './last-written.ts';
import { keyText, propertyLimit } from './property.ts';
import type { Change, Codec, Table, Versioned } from './table.ts';

/** Baselines of metrics and findings, both of one job in one partition. */

export const stateCodec: Codec<MetricState> = {
  keys: ({ job, metric }) => ({ partitionKey: job, rowKey: `m|${keyText(metric)}` }),
  encode: (state) => ({ metric: state.metric, state: stateText(state) }),
  decode: (row) => {
    const { points, last, ...rest } = JSON.parse(String(row.state));
    return {
      ...rest,
      job: String(row.partitionKey),
      metric: String(row.metric),
      last: last ?? Number.NEGATIVE_INFINITY,
      points: points.map(([slot, value]: [number, number]) => ({ slot, value })),
    };
  },
};

/** Pairs take half the room of objects. Of a mix whose categories are too many, the middle runs are left out. */
function stateText({ job: _job, metric: _metric, points, ...rest }: MetricState): string {
  for (let kept = points; ; kept = kept.filter((_, i) => i % 2 === 0 || i === kept.length - 1)) {
    const text = JSON.stringify({ ...rest, points: kept.map(({ slot, value }) => [slot, value]) });
    if (text.length <= propertyLimit || kept.length < 3) return text;
  }
}

export const findingCodec: Codec<Finding> = {
  keys: ({ job, id }) => ({ partitionKey: job, rowKey: `f|${inverted(Number(id))}` }),
  encode: ({ job: _job, ...finding }) => ({ state: finding.state, finding: findingText(finding) }),
  decode: (row) => ({ ...JSON.parse(String(row.finding)), job: String(row.partitionKey) }),
};

/** The most reporting signs of an episode that moved hundreds of metrics. */
function findingText(finding: Omit<Finding, 'job'>): string {
  for (let most = 50; ; most = most >> 1) {
    const text = JSON.stringify({ ...finding, signs: finding.signs.slice(0, most) });
    if (text.length <= propertyLimit || most === 0) return text;
  }
}

export interface Drift {
  /** Every metric of the job that has a baseline. */
  states(job: string): Promise<MetricState[]>;
  /** The same, with what a conditional write must name. */
  read(job: string): Promise<Versioned<MetricState>[]>;
  /** As this process wrote them last; good for a conditional write only. */
  guess(job: string): Versioned<MetricState>[] | undefined;
  /**
   * Writes states of one job where they are as they were read, or new. False: another host has changed one of them since,
   * and of what is written some may be missing: read, and decide again.
   * @param kept all others of the job, as read: then the whole is at hand as a guess
   */
  write(job: string, changes: Change<MetricState>[], kept?: readonly Versioned<MetricState>[]): Promise<boolean>;
  /** Reads, changes and writes until no other host wrote in between. @returns as they are now. `change` may be asked again. */
  amend(job: string, change: (state: MetricState) => MetricState): Promise<MetricState[]>;
  /** Writes them over what is there. */
  putStates(states: MetricState[]): Promise<void>;
  /** Newest first, at most `count`. */
  findings(job: string, count: number): Promise<Finding[]>;
  putFinding(finding: Finding): Promise<void>;
  /** Forgets the baselines of a job, or of these metrics. */
  forget(job: string, metrics?: readonly string[]): Promise<void>;
}

/** Values of baselines that are kept at hand, of all jobs together; one takes about 50 bytes. */
const mostValues = 200_000;

export function drift(states: Table<MetricState>, findings: Table<Finding>): Drift {
  const recent = new LastWritten<Versioned<MetricState>[]>(mostValues, (rows) =>
    rows.reduce((sum, { value }) => sum + value.points.length, 1),
  );

  async function read(job: string): Promise<Versioned<MetricState>[]> {
    const found: Versioned<MetricState>[] = [];
    for await (const row of states.list(job, { from: 'm|', to: 'm}', page: 1_000 })) found.push(row);
    return found;
  }

  async function write(job: string, changes: Change<MetricState>[], kept?: readonly Versioned<MetricState>[]) {
    recent.delete(job);
    const written = await states.writeAll(changes);
    if (!written) return false;
    if (!kept) return true;
    const all = [...kept, ...written];
    if (all.every(({ etag }) => etag !== '')) recent.set(job, all);
    return true;
  }

  return {
    states: async (job) => (await read(job)).map(({ value }) => value),
    read,
    guess: (job) => recent.get(job),
    write,
    async amend(job, change) {
      for (;;) {
        const found = await read(job);
        const next = found.map(({ value }) => change(value));
        const changes = found.flatMap(({ value: before, etag }, at) => {
          const value = next[at];
          return value && value !== before ? [{ value, etag }] : [];
        });
        if (changes.length === 0 || (await write(job, changes))) return next;
      }
    },
    async putStates(values) {
      for (const { job } of values) recent.delete(job);
      await states.putAll(values);
    },
    async findings(job, count) {
      const found: Finding[] = [];
      if (count <= 0) return found;
      for await (const { value } of findings.list(job, { from: 'f|', to: 'f}', page: Math.min(count, 1_000) })) {
        found.push(value);
        if (found.length === count) break;
      }
      return found;
    },
    putFinding: (finding) => findings.putAll([finding]),
    async forget(job, metrics) {
      recent.delete(job);
      const known = metrics ?? (await read(job)).map(({ value }) => value.metric);
      await states.removeAll(
        job,
        known.map((metric) => `m|${keyText(metric)}`),
      );
    },
  };
}
