import type { TableServiceClientOptions } from '@azure/data-tables';
import { type Instant, second } from '../instant.ts';

/** A step of the pipeline that all Azure SDKs share, and where it stands: around all tries, or around each. */
export type Step = NonNullable<TableServiceClientOptions['additionalPolicies']>[number];

/** A call that got no whole answer within its limit. It may have been carried out all the same. */
export class NoAnswer extends Error {
  readonly code = 'ETIMEDOUT';

  constructor(what: string, limitMs: number) {
    super(`no answer from ${what} within ${limitMs / second} s`);
    this.name = 'TimeoutError';
  }
}

/**
 * Ends `call` when its limit is over, whatever it waits for: most SDKs hand a signal on, some only to a part of their
 * work, and none to the fetching of a token.
 * @param what for the message: a host, a service
 * @param limitMs total, ms
 * @throws NoAnswer, and what `call` throws
 */
export async function within<T>(what: string, limitMs: number, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  let late: NoAnswer | undefined;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      late = new NoAnswer(what, limitMs);
      reject(late);
      over.abort(late);
    }, limitMs);
  });
  try {
    return await Promise.race([call(over.signal), limit]);
  } catch (error) {
    // The SDK's own word for the signal says neither who was asked nor for how long.
    throw late ?? error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A limit for one operation of an Azure SDK: its token, all of its tries, the waits between them, and its body where the
 * SDK reads that (a stream is the reader's: see {@link within}).
 */
export function limited(limitMs: number): Step {
  return {
    position: 'perCall',
    policy: {
      name: 'lamplighter-limit',
      sendRequest(request, next) {
        const given = request.abortSignal;
        return within(new URL(request.url).host, limitMs, (signal) => {
          request.abortSignal = given ? AbortSignal.any([given as AbortSignal, signal]) : signal;
          return next(request);
        });
      },
    },
  };
}

/** A wait that is longer than this is for the caller to decide on, not for an SDK to sit out. */
const longestWait = 4 * second;
/** In each of these a service may say how long to leave it alone; the SDKs obey all three. */
const waitHeaders = ['retry-after', 'retry-after-ms', 'x-ms-retry-after-ms'];

/** Takes a long Retry-After away, so that the SDK's own retries do not wait for it: the refusal comes to the caller. */
export const shortWaits: Step = {
  position: 'perRetry',
  policy: {
    name: 'lamplighter-short-waits',
    async sendRequest(request, next) {
      const response = await next(request);
      for (const name of waitHeaders) {
        const header = response.headers.get(name);
        const wait = name === 'retry-after' ? retryAfterMs(header, Date.now()) : Number(header ?? 0);
        if (wait !== undefined && !(wait <= longestWait)) response.headers.delete(name);
      }
      return response;
    },
  },
};

/** Seconds, or an HTTP date (RFC 9110, 10.2.3). @returns ms from `now`, at least 0; undefined: no such header, or not one */
export function retryAfterMs(header: string | null | undefined, now: Instant): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * second;
  const at = text === '' ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(at - now, 0);
}
