/** A point in time: milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** `2026-11-20T07:00:00Z`, or with milliseconds where there are any. */
export function iso(at: Instant): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

/** Reads what {@link iso} wrote. @throws RangeError when the text is no instant. */
export function fromIso(text: string): Instant {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new RangeError(`"${text}" is not an instant such as 2026-11-20T07:00:00Z`);
  return at;
}
