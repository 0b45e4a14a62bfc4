import type { Finding } from '../drift/finding.ts';
import type { MetricState } from '../drift/state.ts';
import { inverted } from './inverted.ts';
import { keyText, propertyLimit } from './property.ts';
import type { Codec, Table } from './table.ts';

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
  putStates(states: MetricState[]): Promise<void>;
  /** Newest first, at most `count`. */
  findings(job: string, count: number): Promise<Finding[]>;
  putFinding(finding: Finding): Promise<void>;
  /** Forgets the baselines of a job, or of these metrics. */
  forget(job: string, metrics?: readonly string[]): Promise<void>;
}

export function drift(states: Table<MetricState>, findings: Table<Finding>): Drift {
  async function statesOf(job: string): Promise<MetricState[]> {
    const found: MetricState[] = [];
    for await (const { value } of states.list(job, { from: 'm|', to: 'm}', page: 1_000 })) found.push(value);
    return found;
  }
  return {
    states: statesOf,
    putStates: (values) => states.putAll(values),
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
      const known = metrics ?? (await statesOf(job)).map(({ metric }) => metric);
      await states.removeAll(
        job,
        known.map((metric) => `m|${keyText(metric)}`),
      );
    },
  };
}
