import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';

/** An answer that is not what was asked for: RFC 9457, with what to do in `detail`. */
export const problem = z
  .object({
    type: z.string().openapi({ description: 'Stable code, for programs', example: 'urn:lamplighter:no-such-job' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().openapi({ description: 'What was expected, and one step to take' }),
    errors: z
      .array(z.object({ place: z.string(), expected: z.string() }))
      .optional()
      .openapi({ description: 'Every part of the request that is wrong' }),
  })
  .openapi('Problem');

export type ProblemCode =
  | 'bad-request'
  | 'not-signed-in'
  | 'not-allowed'
  | 'no-such-job'
  | 'no-such-run'
  | 'no-such-attempt'
  | 'no-such-incident'
  | 'no-such-finding'
  | 'no-such-silence'
  | 'no-such-metric'
  | 'no-such-route'
  | 'no-such-page'
  | 'no-such-method'
  | 'conflict'
  | 'key-reused'
  | 'changed-meanwhile'
  | 'too-large'
  | 'unavailable';

const titles: Record<ProblemCode, [status: 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 503, title: string]> = {
  'bad-request': [400, 'The request cannot be read'],
  'not-signed-in': [401, 'The caller is not known'],
  'not-allowed': [403, 'The caller may not do this'],
  'no-such-job': [404, 'There is no such job'],
  'no-such-run': [404, 'There is no such run'],
  'no-such-attempt': [404, 'There is no such attempt'],
  'no-such-incident': [404, 'There is no such incident'],
  'no-such-finding': [404, 'There is no such finding'],
  'no-such-silence': [404, 'There is no such silence'],
  'no-such-metric': [404, 'There is no such metric'],
  'no-such-route': [404, 'There is nothing at this address'],
  'no-such-method': [405, 'This address does not take this method'],
  'no-such-page': [404, 'There is no such page'],
  conflict: [409, 'The state of things does not allow this'],
  'key-reused': [409, 'This idempotency key belongs to another request'],
  'changed-meanwhile': [412, 'It has changed since it was read'],
  'too-large': [413, 'The request is too large'],
  unavailable: [503, 'This cannot be answered now'],
};

export interface PlaceError {
  place: string;
  expected: string;
}

/** Thrown by a route; becomes an answer of type application/problem+json. */
export class ApiProblem extends HTTPException {
  readonly problemCode: ProblemCode;
  readonly errors: PlaceError[] | undefined;

  constructor(code: ProblemCode, detail: string, errors?: PlaceError[]) {
    super(titles[code][0], { message: detail });
    this.problemCode = code;
    this.errors = errors;
  }
}

export function problemResponse(c: Context, { problemCode, message, errors }: ApiProblem): Response {
  const [status, title] = titles[problemCode];
  const body = { type: `urn:lamplighter:${problemCode}`, title, status, detail: message, ...(errors && { errors }) };
  return c.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json' });
}
