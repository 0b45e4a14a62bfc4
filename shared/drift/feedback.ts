import type { Instant } from '../instant.ts';
import { afterWord } from './check.ts';
import type { Answer, Finding } from './finding.ts';
import type { MetricState } from './state.ts';

/** What an owner's word does to the baselines. */

export interface Word {
  by: string;
  why: string;
  at: Instant;
}

const stateOf = { expected: 'expected', once: 'expected-once', real: 'real' } as const;

export function answered(finding: Finding, answer: Answer, word: Word): Finding {
  return { ...finding, state: stateOf[answer], answered: word };
}

export function snoozed(finding: Finding, until: Instant, word: Word): Finding {
  return { ...finding, snoozedUntil: until, answered: word };
}

/**
 * @param names metrics of the finding, and columns by {@link columnMetric}
 *
 * `expected`: the change is the norm, the pin moves to it. `once`: the runs since the change leave the reference, the pin
 * stays. `real`: nothing moves; the metric is watched for its return.
 */
export function afterAnswer(before: MetricState, answer: Answer, word: Word, names: ReadonlySet<string>): MetricState {
  const state = afterWord(before, names, answer);
  if (!state.drifted || answer === 'real' || !names.has(state.metric)) return state;
  const { since } = state.drifted;
  if (answer === 'expected') return pinnedAt(state, since, word);
  return { ...state, points: state.points.filter(({ slot }) => slot < since), lateDay: null, drifted: null };
}

/** The values from this slot on are the norm; what is older is no longer compared with. */
export function pinnedAt(state: MetricState, since: Instant, word: Word): MetricState {
  const points = state.points.filter(({ slot }) => slot >= since);
  return { ...state, points, runs: points.length, missed: 0, absentNow: 0, drifted: null, lateDay: null, pinned: word };
}
