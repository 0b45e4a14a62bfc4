import type { Reported } from './sender.ts';

/** Events that wait to be sent: what an operator needs first leaves first, and is dropped last. */
export interface Waiting {
  /** Adds one. @returns how many had to be dropped for it, itself included: 0 or 1 */
  add(reported: Reported): number;
  /** Takes the next `most`, the urgent ones first, each kind in its order. */
  take(most: number): Reported[];
  size(): number;
}

/** 0: the service itself, and jobs of the tier critical. 1: what did not succeed. 2: the rest. */
export function urgency({ name, properties }: Reported['event']): 0 | 1 | 2 {
  if (name !== 'LamplighterAttempt' && name !== 'LamplighterRun') return 0;
  const { tier, state } = properties as { tier?: string; state?: string };
  if (tier === 'critical') return 0;
  return state === 'succeeded' || state === 'skipped' ? 2 : 1;
}

/** @param most events kept in memory, about 1 KB each */
export function waiting(most: number): Waiting {
  const ranks: [Reported[], Reported[], Reported[]] = [[], [], []];
  const size = () => ranks.reduce((sum, { length }) => sum + length, 0);
  return {
    add(reported) {
      const rank = urgency(reported.event);
      if (size() < most) {
        ranks[rank].push(reported);
        return 0;
      }
      const least = ranks.findLastIndex(({ length }) => length > 0);
      // The newest of the least urgent goes: what waits the longest is the beginning of the story.
      if (least > rank) {
        ranks[least]?.pop();
        ranks[rank].push(reported);
      }
      return 1;
    },
    take(count) {
      const taken: Reported[] = [];
      for (const rank of ranks) taken.push(...rank.splice(0, count - taken.length));
      return taken;
    },
    size,
  };
}
