import type { Instant } from '../shared/instant.ts';

export interface Clock {
  now(): Instant;
  /** Compares with the store's clock. @returns by how many ms this clock was put right; 0 when it was */
  sync(): Promise<number>;
}

/** The store tells whole seconds; clocks that agree this well are both right. */
const tolerance = 2_000;

/**
 * A clock that stays right when somebody sets the machine's: it runs on monotonic time, and believes the machine's clock
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
      const before = monotonic();
      // Whole seconds: on average it is half a second later there.
      const there = (await storeTime()) + 500;
      const passed = (monotonic() - before) / 2;
      const wrong = there + passed - now();
      const trusted = Math.abs(there + passed - wall()) <= tolerance;
      if (trusted) offset = wall() - monotonic();
      else if (Math.abs(wrong) > tolerance) offset += wrong;
      return Math.abs(wrong) > tolerance ? Math.round(wrong) : 0;
    },
  };
}
