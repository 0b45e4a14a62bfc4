import { type Instant, minute } from '../instant.ts';
import type { RunFacts } from './change.ts';
import type { Difference, Noise } from './golden.ts';

/** Replays that the service does by itself: what is kept of them, and when the next one is due. */

/** Why one is done. `pin`: a new set of examples, whose noise is measured; `confirm`: the one before moved; `asked`: by a person. */
export const replayReasons = ['pin', 'daily', 'change', 'finding', 'confirm', 'asked'] as const;
export type ReplayReason = (typeof replayReasons)[number];

export const replayStates = ['moved', 'still', 'unknown'] as const;

/** One replay, as it is kept. */
export interface Replayed {
  job: string;
  run: string;
  slot: Instant;
  reason: ReplayReason;
  /** Digest of the set of examples; empty: it did not come that far. */
  golden: string;
  /** Against the accepted answers. */
  state: (typeof replayStates)[number];
  changed: number;
  of: number;
  /** Changed examples from which on it is no chance. */
  alarmAt: number;
  /** How many times each example was run. */
  repeats: number;
  worst: Difference[];
  /** Example → digests of its answers, each once. */
  answers: Record<string, string[]>;
  /** Example → why it is not compared. */
  problems: Record<string, string>;
  /** Why nothing is known; null: it is. */
  error: string | null;
  /** Container time, ms. */
  costMs: number;
  /** What it ran with. */
  facts: RunFacts;
}

/** What the service knows of the replays of a job; one row, changed by conditional writes. */
export interface ReplayState {
  job: string;
  /** The set of examples whose noise is known; null: none yet. */
  golden: string | null;
  noise: Noise | null;
  /** Example → why it failed when the set was new: it is no evidence. */
  unusable: Record<string, string>;
  /** The replay under way: only one at a time. */
  running: { run: string; reason: ReplayReason; at: Instant } | null;
  /** To be done when that is over. */
  wanted: ReplayReason | null;
  /** When the latest ones were started, newest last; of the last 24 hours, and at least one. */
  starts: Instant[];
  /** Of one example run once each, ms; null: not known. */
  roundMs: number | null;
  /** The code, and all else, that the job was last seen with. */
  bundle: string | null;
  rest: string | null;
  /** The finding that says that a replay moved while results are still; null: none is open. */
  finding: string | null;
  /** Example → digests of other answers that a person has called expected. */
  expected: Record<string, string[]>;
  /** Why the service does not replay; null: it does. */
  problem: string | null;
  /** Days between two that nothing else calls for; null: none. */
  everyDays: number | null;
}

export function newReplayState(job: string): ReplayState {
  return {
    job,
    golden: null,
    noise: null,
    unusable: {},
    running: null,
    wanted: null,
    starts: [],
    roundMs: null,
    bundle: null,
    rest: null,
    finding: null,
    expected: {},
    problem: null,
    everyDays: 1,
  };
}

/** How many times each example is run: the noise of a small set needs more. */
export function repeatsOf(reason: ReplayReason, examples: number): number {
  if (reason === 'pin') return examples <= 10 ? 5 : 3;
  return reason === 'finding' || reason === 'confirm' ? 3 : 1;
}

/** What wants a replay most: one of these at a time, and the others are answered by it. */
const urgency: readonly ReplayReason[] = ['daily', 'change', 'asked', 'confirm', 'finding', 'pin'];

/** Whether a replay under way answers a wish too: the daily one any, the others one that has only just been started. */
export function isAnswered(
  { reason, at }: NonNullable<ReplayState['running']>,
  asked: ReplayReason,
  now: Instant,
): boolean {
  if (asked === 'daily') return true;
  return now - at < minute && urgency.indexOf(reason) >= urgency.indexOf(asked);
}

export function moreUrgent(a: ReplayReason | null, b: ReplayReason): ReplayReason {
  return a !== null && urgency.indexOf(a) > urgency.indexOf(b) ? a : b;
}
