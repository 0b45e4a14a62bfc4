import { createHmac, timingSafeEqual } from 'node:crypto';

export const pingPath = '/api/ping';

/** The key with which an external job reports its runs; it opens nothing else, and no other job. @param key of this installation */
export function pingKey(key: Buffer, job: string): string {
  return createHmac('sha256', key).update(`ping/${job}`).digest('base64url');
}

export function isPingKey(key: Buffer, job: string, given: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(pingKey(key, job))];
  return one.length === other.length && timingSafeEqual(one, other);
}
