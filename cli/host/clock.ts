import type { Instant } from '../../shared/instant.ts';

export interface Clock {
  now(): Instant;
  /** Compares with the store's clock. @returns by how many ms this clock was corrected; 0 when it was right */
  sync(): Promise<number>;
}

/** The store says whole seconds; clocks that agree this well are both right. */
const tolerance = 2_000;

/**
 * A clock that stays right when a person sets the machine's: it runs on monotonic time, and believes the machine's clock
 * only as long as the store's agrees. So all hosts of a store have one time, and a host whose clock jumps by an hour
 * neither runs anything early nor takes the hour for an outage.
 */
export function steadyClock(
  storeTime: () => Promise<Instant>,
  wall: () => Instant = Date.now,
  monotonic: () => number = () => performance.now(),
): Clock {
  let offset = wall() - monotonic();
  const now = () => Math.round(monotonic() + offset);
  return {
    now,
    async sync() {
      const asked = monotonic();
      const reported = await storeTime();
      const waited = monotonic() - asked;
      // It was read at some moment while we waited, in whole seconds: the middle of what that leaves, and how far off.
      const there = reported + 500 + waited / 2;
      const unsure = tolerance + waited / 2;
      const wrong = there - now();
      if (Math.abs(there - wall()) <= unsure) offset = wall() - monotonic();
      else if (Math.abs(wrong) > unsure) offset += wrong;
      return Math.abs(wrong) > unsure ? Math.round(wrong) : 0;
    },
  };
}
