import { type Instant, iso } from '../shared/instant.ts';
import { type Run, runName } from '../shared/run/run.ts';

/** What `--json` prints; documented in docs/cli.md, and stable. Times are ISO 8601 in UTC, durations ms. */
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
    startedAt: time(run.startedAt),
    endedAt: time(run.endedAt),
    durationMs: run.startedAt !== null && run.endedAt !== null ? run.endedAt - run.startedAt : null,
    lateMs: run.startedAt === null ? null : run.startedAt - run.slot,
    nextAttemptAt: time(run.nextAttemptAt),
    cancelled: run.cancel && { by: run.cancel.by, why: run.cancel.why, at: iso(run.cancel.at) },
    attempts: run.attempts.map((attempt) => ({
      ...attempt,
      startedAt: iso(attempt.startedAt),
      endedAt: time(attempt.endedAt),
    })),
    versions: run.versions,
    metrics: run.metrics,
    outputs: run.outputs,
    warnings: run.warnings,
    slots: run.slots,
  };
}

function time(at: Instant | null): string | null {
  return at === null ? null : iso(at);
}

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
