import { z } from '@hono/zod-openapi';
import { runStates } from '../run/run.ts';

/** The shapes of what the API answers; `json.ts` makes them. Times are ISO 8601 in UTC, durations ms, sizes bytes. */

export const time = z.string().openapi({ format: 'date-time', example: '2026-11-20T07:00:00Z' });
const person = z.object({ by: z.string(), why: z.string() });
const metric = z.union([z.number(), z.record(z.string(), z.number())]);

export const attemptView = z
  .object({
    number: z.int(),
    state: z.string(),
    executor: z.string(),
    handle: z.string().nullable(),
    startedAt: time,
    endedAt: time.nullable(),
    exitCode: z.int().nullable(),
    signal: z.string().nullable(),
    errorClass: z.string().nullable(),
    error: z.string().nullable(),
    cpuMs: z.number().nullable(),
    peakMemoryBytes: z.number().nullable(),
    logBytes: z.number().nullable(),
    versions: z.object({ bundle: z.string() }).nullish(),
  })

  .openapi('Attempt');

export const runView = z
  .object({
    run: z.string().openapi({ description: 'Job and id', example: 'score-prospects.20261120T070000Z' }),
    job: z.string(),
    slot: time,
    trigger: z.string(),
    state: z.enum(runStates),
    reason: z.string().nullable(),
    reasonCode: z.string().nullable(),
    asked: person.nullable(),
    repeats: z.string().nullable(),
    args: z.array(z.string()),
    createdAt: time,
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    durationMs: z.number().nullable(),
    lateMs: z.number().nullable(),
    nextAttemptAt: time.nullable(),
    cancelled: person.extend({ at: time }).nullable(),
    attempts: z.array(attemptView),
    versions: z.object({ bundle: z.string() }).nullable(),
    inputs: z.array(z.object({ path: z.string(), job: z.string(), run: z.string(), sha256: z.string() })),
    metrics: z.record(z.string(), metric),
    outputs: z.array(z.object({ path: z.string() })),
    warnings: z.array(z.string()),
    slots: z.int(),
  })

  .openapi('Run');

export const eventView = z
  .object({
    at: time,
    job: z.string(),
    kind: z.string(),
    by: z.string(),
    why: z.string(),
    details: z.record(z.string(), z.union([z.string(), z.number()])),
  })
  .openapi('AuditEvent');
