import { setTimeout as sleep } from 'node:timers/promises';
import type { TelemetryClient } from 'applicationinsights';
import { z } from 'zod';
import { second } from '../instant.ts';
import { plain } from './limits.ts';

/**
 * Ingestion takes a part of what it was given: status 206, and for each item that it did not take a status of its own
 * (`track` of version 2.1: itemsReceived, itemsAccepted, errors with index, statusCode, message).
 */
const partialAnswer = z.object({
  itemsReceived: z.int().nonnegative(),
  itemsAccepted: z.int().nonnegative(),
  errors: z.array(z.object({ index: z.int().nonnegative(), statusCode: z.int(), message: z.string().nullish() })),
});
export type PartialAnswer = z.infer<typeof partialAnswer>;

/** What may be taken a moment later; everything else is refused for good. */
const passing = new Set([408, 429, 439, 500, 502, 503, 504]);
export const mayPass = (statusCode: number): boolean => passing.has(statusCode);

export function readPartial(text: string | null | undefined): PartialAnswer | undefined {
  try {
    return partialAnswer.safeParse(JSON.parse(text ?? '')).data;
  } catch {
    return undefined;
  }
}

/** The answers to a batch and to the rest of it that was sent again, as one answer to the batch. */
export function merged(first: PartialAnswer, again: number[], second: PartialAnswer): PartialAnswer {
  const settled = first.errors.filter(({ statusCode }) => !mayPass(statusCode));
  const left = second.errors.map((error) => ({ ...error, index: again[error.index] ?? error.index }));
  return { ...first, itemsAccepted: first.itemsAccepted + second.itemsAccepted, errors: [...settled, ...left] };
}

/** What of an answer an operator must know; undefined: all items were taken. */
export function partialProblem({ itemsReceived, itemsAccepted, errors }: PartialAnswer): Error | undefined {
  if (errors.length === 0 && itemsAccepted >= itemsReceived) return undefined;
  const refused = errors.filter(({ statusCode }) => !mayPass(statusCode));
  const [worst] = refused.length > 0 ? refused : errors;
  const why = worst ? `${worst.statusCode} ${plain(worst.message ?? '', 200)}`.trim() : 'without a reason';
  const missing = itemsReceived - itemsAccepted;
  const fate =
    refused.length > 0 ? `${refused.length} of them are refused for good` : 'they are kept and sent again later';
  return new Error(`${missing} of ${itemsReceived} events were not taken (${why}); ${fate}`);
}

type Options = NonNullable<
  TelemetryClient['config']['azureMonitorOpenTelemetryOptions']
>['azureMonitorExporterOptions'];
export type Policy = NonNullable<NonNullable<Options>['additionalPolicies']>[number]['policy'];

/**
 * Sends again, once, what may be taken a moment later. The package would keep it on the disk of the instance, which may
 * be gone with it. Its place is after the retries, where the body is the text of the items.
 * @param waitMs before that
 */
export function sendAgain(waitMs = second): Policy {
  return {
    name: 'lamplighterSendAgain',
    async sendRequest(request, next) {
      const answer = await next(request);
      const first = answer.status === 206 ? readPartial(answer.bodyAsText) : undefined;
      const again = (first?.errors ?? []).filter(({ statusCode }) => mayPass(statusCode)).map(({ index }) => index);
      const items = again.length > 0 ? itemsOf(request.body) : undefined;
      if (!first || !items) return answer;
      await sleep(waitMs);
      const whole = request.body;
      request.body = JSON.stringify(again.map((index) => items[index]));
      request.headers.delete('content-length');
      const later = await next(request).catch(() => undefined);
      request.body = whole ?? null;
      request.headers.delete('content-length');
      const left =
        later?.status === 200
          ? { itemsReceived: again.length, itemsAccepted: again.length, errors: [] }
          : later?.status === 206 && readPartial(later.bodyAsText);
      if (!left) return answer;
      const all = merged(first, again, left);
      return { ...answer, status: all.errors.length === 0 ? 200 : 206, bodyAsText: JSON.stringify(all) };
    },
  };
}

function itemsOf(body: unknown): unknown[] | undefined {
  if (typeof body !== 'string') return undefined;
  const items: unknown = JSON.parse(body);
  return Array.isArray(items) ? items : undefined;
}
