import { median, spread } from './median.ts';

/**
 * Whether the latest value lies twice as far out as anything the earlier ones showed. A note for people, never an alert:
 * on heavy tails no rule about a single run keeps a promised rate. `values` are on the transformed scale.
 */
export function isOdd(values: readonly number[]): boolean {
  const earlier = values.slice(0, -1);
  const last = values.at(-1);
  if (last === undefined || earlier.length < 15) return false;
  const centre = median(earlier);
  const scale = spread(earlier, centre);
  if (!(scale > 0)) return last !== centre && earlier.every((value) => value === centre);
  const furthest = Math.max(...earlier.map((value) => Math.abs(value - centre))) / scale;
  const z = Math.abs(last - centre) / scale;
  return z > 5 && z > (2 + 10 / values.length) * furthest;
}
