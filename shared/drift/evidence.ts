import type { Instant } from '../instant.ts';
import type { Replay } from './attribution.ts';
import { alarmAt, type Difference } from './golden.ts';
import type { Replayed } from './replay.ts';

/** What replays say of a change of the results. */
export interface ReplayEvidence {
  state: Replay;
  changed: number;
  of: number;
  /** The replay that says so. */
  run: string;
  worst: Difference[];
}

/**
 * Whether the job answers its examples otherwise after a change than before it. Both replays are of one set of examples;
 * where none was made before the change, the accepted answers stand for it. Null: no replay was made after it.
 * @param replays newest first @param from before this the change cannot have begun
 * @param noise share of examples that differ by themselves, 0–1
 */
export function evidenceOf(
  replays: readonly Replayed[],
  { from, since }: { from: Instant; since: Instant },
  noise: number,
): ReplayEvidence | null {
  const after = replays.find(({ slot, state }) => slot >= since && state !== 'unknown');
  if (!after) return null;
  const before = replays.find(({ slot, state, golden }) => {
    return slot < from && state !== 'unknown' && golden === after.golden;
  });
  const { run, worst } = after;
  if (!before) return { state: after.state, changed: after.changed, of: after.of, run, worst };
  const names = Object.keys(after.answers).filter((name) => Object.hasOwn(before.answers, name));
  const changed = names.filter((name) => {
    const then = before.answers[name] ?? [];
    return !(after.answers[name] ?? []).some((digest) => then.includes(digest));
  }).length;
  const state = names.length === 0 ? 'unknown' : changed >= alarmAt(names.length, noise) ? 'moved' : 'still';
  return { state, changed, of: names.length, run, worst: state === 'moved' ? worst : [] };
}
