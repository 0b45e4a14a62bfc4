import type { Instant } from '../instant.ts';
import type { Attribution } from './attribution.ts';
import type { Sign } from './state.ts';

export const findingStates = ['open', 'real', 'expected-once', 'expected', 'recovered'] as const;

/** One episode of one job: metrics that drifted within three runs of each other. */
export interface Finding {
  /** `<slot of the run that showed it, ms>`: the same when the follow-up is done again. */
  id: string;
  job: string;
  state: (typeof findingStates)[number];
  /** The slot at which the change begins, and the number of runs before it, for the distance to its candidates. */
  since: Instant;
  found: Instant;
  signs: Sign[];
  sentence: string;
  attribution: Attribution | null;
  snoozedUntil: Instant | null;
  answered: { by: string; why: string; at: Instant } | null;
}

export const answers = ['expected', 'once', 'real'] as const;
export type Answer = (typeof answers)[number];

/** Whether a sign joins a finding: not answered as expected, and found at most three runs later. */
export function joins(finding: Finding, sign: Sign, runsBetween: number): boolean {
  const open = finding.state === 'open' || finding.state === 'real';
  return open && (runsBetween <= 3 || finding.signs.some(({ metric }) => metric === sign.metric));
}

/** The finding with one more sign; a second change of a metric takes the place of its first. */
export function joined(finding: Finding, sign: Sign): Finding {
  const others = finding.signs.filter(({ metric }) => metric !== sign.metric);
  return { ...finding, signs: [...others, sign].sort((a, b) => weightOf(b) - weightOf(a)) };
}

export function opened(job: string, sign: Sign): Finding {
  const rest = { sentence: '', attribution: null, snoozedUntil: null, answered: null };
  return { id: String(sign.found), job, state: 'open', since: sign.since, found: sign.found, signs: [sign], ...rest };
}

/** What an owner reads first: own metrics before profiles, profiles before what the run took; then the larger change. */
function weightOf({ metric, numbers }: Sign): number {
  const rank = metric.startsWith('run:') ? 0 : metric.startsWith('output:') ? 1 : 2;
  const width = Math.abs(numbers.high - numbers.low) || Math.abs(numbers.before) || 1;
  return rank * 1e6 + Math.min(1e5, Math.abs(numbers.after - numbers.before) / width);
}

/** The finding when the metrics named have gone back to their usual range. */
export function withRecovered(finding: Finding, recovered: ReadonlySet<string>): Finding {
  const left = finding.signs.filter(({ metric }) => !recovered.has(metric));
  return left.length > 0 ? { ...finding, signs: left } : { ...finding, state: 'recovered' };
}
