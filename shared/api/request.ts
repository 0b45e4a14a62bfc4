import { createHash, randomBytes } from 'node:crypto';
import type { Instant } from '../instant.ts';
import { Turns } from '../turns.ts';
import type { Service } from './app.ts';
import type { Caller } from './caller.ts';
import { ApiProblem } from './problem.ts';

/** What sets one request apart from others. */
export interface Asking {
  req: { path: string; header(name: string): string | undefined };
}

/** When a request came first, and what sets it apart from all others. */
export interface First {
  at: Instant;
  token: string;
  /** It came before, by the same key, and may be done or under way. */
  again: boolean;
}

/** Of this process: a request that comes while the same is under way waits for its answer. */
const turns = new Turns();

/**
 * Does what is asked, once for each idempotency key of a caller: the same request again gets the answer that was kept.
 * An answer that got lost because its host died in between is made anew, with the instant and the token of the first.
 * What is refused is not kept: the same request may be allowed later.
 * @param asked the body, which must be the same when the key is. @throws ApiProblem `key-reused`
 */
export async function once<T>(
  service: Service,
  c: Asking,
  caller: Caller,
  asked: unknown,
  act: (first: First) => Promise<T>,
): Promise<T> {
  const key = c.req.header('idempotency-key');
  const sums = [c.req.path, asked];
  if (key === undefined) return act(await firstRequest(service, caller, key, sums));
  return turns.take(JSON.stringify([caller.name, key]), async () => {
    const first = await firstRequest(service, caller, key, sums);
    if (first.answer !== null) return JSON.parse(first.answer);
    const { requests } = service.parts.store;
    const { token } = first;
    return JSON.parse(await requests.keep({ caller: caller.name, key, token }, JSON.stringify(await act(first))));
  });
}

/**
 * When a request came first, and what sets it apart: the id of a run that it makes is made of both, so that the
 * same request again, by the same idempotency key, makes the same run.
 * @param asked all that must be the same when the key is
 * @throws ApiProblem `key-reused`
 */
export async function firstRequest(
  { parts, clock }: Service,
  caller: Caller,
  key: string | undefined,
  asked: unknown,
): Promise<First & { answer: string | null }> {
  const now = clock();
  const token = randomBytes(4).toString('hex');
  if (key === undefined) return { at: now, token, again: false, answer: null };
  const sum = createHash('sha256').update(JSON.stringify(asked)).digest('hex');
  const first = await parts.store.requests.first({ caller: caller.name, key, asked: sum, at: now, token });
  if (first.asked !== sum) {
    throw new ApiProblem('key-reused', 'expected a key of its own for each request: this one was sent with another');
  }
  return { ...first, again: first.token !== token };
}

/** @param etag of the thing now; undefined: it has none yet. @throws ApiProblem when the caller has read another version */
export function matches({ req }: Asking, etag: string | undefined): void {
  const wanted = req.header('if-match');
  if (wanted === undefined || wanted === '*' || wanted === etag) return;
  throw new ApiProblem('changed-meanwhile', `expected If-Match: ${etag ?? 'none'}, found ${wanted}: read it again`);
}
