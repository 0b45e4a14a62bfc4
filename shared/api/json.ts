import { type Instant, iso } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { JobEvent } from '../run/job-event.ts';
import type { JobRow } from '../run/job-row.ts';
import { nextExpected } from '../run/next.ts';
import { type Run, runName } from '../run/run.ts';
import type { Incident } from '../store/incidents.ts';
import type { Letter } from '../store/outbox.ts';
import type { Silence } from '../store/silences.ts';

/** What the API answers and `--json` prints, in the shapes of `views.ts`; without zod, as a command starts faster so. */

/** @returns a `Run` */
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

/** @returns an `AuditEvent` */
export function eventJson({ at, job, kind, by, why, details }: JobEvent) {
  return { at: iso(at), job, kind, by, why, details };
}

/**
 * @param job undefined: its folder is gone. @param row undefined: no host has seen it yet
 * @returns a `Job`
 */
export function jobJson(name: string, job: Job | undefined, row: JobRow | undefined, now: Instant) {
  const { paused, running = [], last, streak = 0 } = row ?? {};
  const next = job && job.status !== 'decommissioned' ? nextExpected(job, now)?.at : undefined;
  return {
    job: name,
    description: job?.description ?? null,
    owner: job?.owner ?? null,
    tier: job?.tier ?? null,
    status: job?.status ?? 'removed',
    schedules: job?.schedules.map(({ schedule: { cron, timeZone } }) => ({ cron, timeZone })) ?? [],
    next: optional(next),
    paused: paused ? { by: paused.by, why: paused.why, at: iso(paused.at) } : null,
    running: running.map(({ run }) => `${name}.${run}`),
    last: last
      ? {
          run: `${name}.${last.id}`,
          state: last.state,
          slot: iso(last.slot),
          endedAt: iso(last.endedAt),
          durationMs: last.durationMs,
          error: last.error,
        }
      : null,
    streak,
  };
}

/** @returns an `Incident` */
export function incidentJson(one: Incident) {
  const { id, job, cause, subject, state, severity, tier, text, errorClass, count, flaps, run, acknowledged } = one;
  return {
    ...{ id, job, cause, subject, state, severity, tier, text, errorClass, times: count, flaps },
    since: iso(one.since),
    openedAt: iso(one.openedAt),
    lastAt: iso(one.lastAt),
    resolvedAt: optional(one.resolvedAt),
    reportedAt: optional(one.reportedAt),
    run: job !== null && run !== null ? `${job}.${run}` : null,
    acknowledged: acknowledged && { by: acknowledged.by, why: acknowledged.why, at: iso(acknowledged.at) },
  };
}

/** @returns a `Silence` */
export function silenceJson({ id, scope, from, until, by, why }: Silence) {
  return { id, scope, from: iso(from), until: iso(until), by, why };
}

/** @returns a `Letter`: what was sent where, without what it said */
export function letterJson({ key, channel, to, state, tries, error, createdAt, doneAt, notBefore }: Letter) {
  return {
    ...{ key, channel, to, state, tries, error },
    createdAt: iso(createdAt),
    doneAt: optional(doneAt),
    nextTry: state === 'waiting' ? iso(notBefore) : null,
  };
}

export function optional(at: Instant | null | undefined): string | null {
  return at === null || at === undefined ? null : iso(at);
}

export type RunJson = ReturnType<typeof runJson>;
export type JobJson = ReturnType<typeof jobJson>;
export type EventJson = ReturnType<typeof eventJson>;
export type IncidentJson = ReturnType<typeof incidentJson>;
export type SilenceJson = ReturnType<typeof silenceJson>;
export type LetterJson = ReturnType<typeof letterJson>;
