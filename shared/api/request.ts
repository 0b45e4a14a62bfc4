import { createHash, randomBytes } from 'node:crypto';
import type { Instant } from '../instant.ts';
import type { Service } from './app.ts';
import type { Caller } from './caller.ts';
import { ApiProblem } from './problem.ts';

/**
 * When a request to make a run came first, and what sets its run apart: the id of the run is made of both, so that the
 * same request again, by the same idempotency key, makes the same run.
 * @param asked all that must be the same when the key is
 * @throws ApiProblem `key-reused`
 */
export async function firstRequest(
  { parts, clock }: Service,
  caller: Caller,
  key: string | undefined,
  asked: unknown,
): Promise<{ at: Instant; token: string }> {
  const now = clock();
  const token = randomBytes(4).toString('hex');
  if (key === undefined) return { at: now, token };
  const sum = createHash('sha256').update(JSON.stringify(asked)).digest('hex');
  const first = await parts.store.requests.first({ caller: caller.name, key, asked: sum, at: now, token });
  if (first.asked !== sum) {
    throw new ApiProblem('key-reused', 'expected a key of its own for each request: this one was sent with another');
  }
  return first;
}
