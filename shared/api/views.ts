import { z } from '@hono/zod-openapi';
import { type Instant, iso } from '../instant.ts';
import type { JobEvent } from '../run/job-event.ts';
import { type Run, runName, runStates } from '../run/run.ts';

/** What the API answers and `--json` prints. Times are ISO 8601 in UTC, durations ms, sizes bytes. */

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

/** @returns a {@link runView} */
export function runJson(run: Run) {
  return {
    run: runName(run),
    job: run.job,
    slot: iso(run.slot),
    trigger: run.trigger,
    state: run.state,
    reason: run.reason,
    reasonCode: run.reasonCode,
    asked: run.asked,
    repeats: run.repeats === null ? null : `${run.job}.${run.repeats}`,
    args: run.args,
    createdAt: iso(run.createdAt),
    startedAt: optional(run.startedAt),
    endedAt: optional(run.endedAt),
    durationMs: run.startedAt !== null && run.endedAt !== null ? run.endedAt - run.startedAt : null,
    lateMs: run.startedAt === null ? null : run.startedAt - run.slot,
    nextAttemptAt: optional(run.nextAttemptAt),
    cancelled: run.cancel && { by: run.cancel.by, why: run.cancel.why, at: iso(run.cancel.at) },
    attempts: run.attempts.map((attempt) => ({
      ...attempt,
      startedAt: iso(attempt.startedAt),
      endedAt: optional(attempt.endedAt),
    })),
    versions: run.versions,
    inputs: run.inputs,
    metrics: run.metrics,
    outputs: run.outputs,
    warnings: run.warnings,
    slots: run.slots,
  };
}

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

/** @returns an {@link eventView} */
export function eventJson({ at, job, kind, by, why, details }: JobEvent) {
  return { at: iso(at), job, kind, by, why, details };
}

export function optional(at: Instant | null | undefined): string | null {
  return at === null || at === undefined ? null : iso(at);
}
