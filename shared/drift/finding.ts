import { splitAdvice, withAdvice } from '../advice.ts';
import type { Instant } from '../instant.ts';
import { isInput } from '../run/metrics.ts';
import type { Attribution } from './attribution.ts';
import { isBreach } from './contract.ts';
import type { ReplayEvidence } from './evidence.ts';
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
  /** Findings of other jobs that have something in common with this one and drifted then. */
  alike?: Alike[];
  /** What replays of frozen examples say; left out: none was made since. */
  replay?: ReplayEvidence | null;
  snoozedUntil: Instant | null;
  answered: { by: string; why: string; at: Instant } | null;
}

export interface Alike {
  job: string;
  finding: string;
  since: Instant;
  /** Half a sentence: `uses the same model scorer-2`. */
  what: string;
}

/** The finding when another job has drifted with it. */
export function withAlike(finding: Finding, other: Alike): Finding {
  const { what, advice } = splitAdvice(finding.sentence);
  const sentence = withAdvice(`${what} ${alikeText([other])}`, advice);
  return { ...finding, sentence, alike: [...(finding.alike ?? []), other] };
}

/** `The job rank, which uses the same model scorer-2, is unusual too.` */
export function alikeText(alike: readonly Pick<Alike, 'job' | 'what'>[]): string {
  return alike.map(({ job, what }) => `The job ${job}, which ${what}, is unusual too.`).join(' ');
}

export const answers = ['expected', 'once', 'real'] as const;
export type Answer = (typeof answers)[number];

/** Whether a sign joins a finding: not answered as expected, and found at most three runs later. */
export function joins(finding: Finding, sign: Sign, runsBetween: number): boolean {
  const open = finding.state === 'open' || finding.state === 'real';
  return open && (runsBetween <= 3 || finding.signs.some(({ metric }) => metric === sign.metric));
}

/** A breach of the contract and a change of the same metric stand beside each other. */
const about = ({ metric, kind }: Pick<Sign, 'metric' | 'kind'>) => `${isBreach(kind) ? 'contract' : 'level'} ${metric}`;

/** The finding with one more sign; a second change of a metric takes the place of its first. */
export function joined(finding: Finding, sign: Sign): Finding {
  const others = finding.signs.filter((one) => about(one) !== about(sign));
  return { ...finding, signs: [...others, sign].sort((a, b) => weightOf(b) - weightOf(a)) };
}

export function opened(job: string, sign: Sign): Finding {
  const rest = { sentence: '', attribution: null, snoozedUntil: null, answered: null };
  return { id: String(sign.found), job, state: 'open', since: sign.since, found: sign.found, signs: [sign], ...rest };
}

/** Of breaches: what is lost or outside a limit before what is only new. */
const rankOf = { limit: 6, lost: 5, renamed: 5, retyped: 5, value: 4, new: 1 } as const;

/**
 * What an owner reads first: breaches, then own metrics, profiles, what came in, and what the run took; then the larger change.
 */
function weightOf({ metric, kind, numbers }: Sign): number {
  if (isBreach(kind)) return rankOf[kind] * 1e6;
  // What came in is a cause of the others rather than a result.
  const rank = metric.startsWith('run:') ? 0 : isInput(metric) ? 1.5 : metric.startsWith('output:') ? 2 : 3;
  const width = Math.abs(numbers.high - numbers.low) || Math.abs(numbers.before) || 1;
  return rank * 1e6 + Math.min(1e5, Math.abs(numbers.after - numbers.before) / width);
}

/** The finding when these changes have gone back, or these breaches are over. */
export function withRecovered(finding: Finding, over: readonly Pick<Sign, 'metric' | 'kind'>[]): Finding {
  // An early warning has none: a replay ends it.
  if (finding.signs.length === 0) return finding;
  const gone = new Set(over.map(about));
  const left = finding.signs.filter((sign) => !gone.has(about(sign)));
  return left.length > 0 ? { ...finding, signs: left } : { ...finding, state: 'recovered' };
}

/** Whether an incident about limits says all that the finding says. */
export function isLimitOnly({ signs }: Finding): boolean {
  return signs.length > 0 && signs.every(({ kind }) => kind === 'limit');
}
