import type { Instant } from '../instant.ts';

/** Thirteen digits reach the year 2286. */
export const lastInstant = 9_999_999_999_999;

/** An instant in a row key, so that the newest comes first: keys sort by the time that is left. */
export function inverted(at: Instant): string {
  return String(lastInstant - at).padStart(13, '0');
}
