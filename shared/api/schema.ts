import { z } from '@hono/zod-openapi';
import { problem } from './problem.ts';

/** Parts of requests and answers that several routes share. */

export const jobParam = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'expected the name of a job: lower-case words joined by hyphens')
  .max(48)
  .openapi({ example: 'score-prospects' });

export const runParam = z
  .string()
  .max(120)
  .regex(/^[0-9TZa-z.-]+$/, 'expected the id of a run such as 20261120T070000Z')
  .openapi({ example: '20261120T070000Z', description: 'With or without the job in front of it' });

/** A whole number of a path or a query; the document gets the limits as well, which a coerced number would hide. */
export function whole(minimum: number, maximum: number) {
  return z.coerce.number().int().min(minimum).max(maximum).openapi({ type: 'integer', minimum, maximum });
}

/** A text with at most this many characters; what refuses one says how many it has. */
export function shortText(maximum: number) {
  const error = ({ input }: { input?: unknown }) =>
    `expected at most ${maximum} characters, found ${String(input).length}`;
  return z.string().max(maximum, { error });
}

/** Of an action: the audit keeps it. */
export const why = shortText(2_000).default('').openapi({ description: 'The reason, for the audit' });

export const idempotencyKey = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'expected 1 to 200 printable characters')
    .optional()
    .openapi({ description: 'The same key again does nothing new and gets the same answer, for 24 hours' }),
});

function problemAnswer(description: string) {
  return { description, content: { 'application/problem+json': { schema: problem } } };
}

const problems = {
  400: problemAnswer('The request does not fit its schema'),
  401: problemAnswer('No valid token'),
  403: problemAnswer('The role of the caller does not allow it'),
  404: problemAnswer('There is no such thing, or not for this caller'),
  503: problemAnswer('The store or another service is unavailable; Retry-After says when to ask again'),
};

/** The good answer and those that every route may give. */
export function answers<T extends z.ZodType>(schema: T) {
  return { 200: { description: 'Done', content: { 'application/json': { schema } } }, ...problems };
}

/** The same for what changes something. */
export function changes<T extends z.ZodType>(schema: T) {
  return {
    ...answers(schema),
    409: problemAnswer('The state of things does not allow it, or the idempotency key belongs to another request'),
    412: problemAnswer('If-Match names a version that is not the present one'),
  };
}
