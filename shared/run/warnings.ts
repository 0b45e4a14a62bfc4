import { iso, minute } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Run } from './run.ts';

/** What a person should know about a finished run although it did not fail it. One sentence each. */
export function warnings(run: Run, job: Job | undefined): string[] {
  return [...lateness(run), ...brevity(run, job), ...bounds(run, job), ...outputs(run)];
}

function* lateness(run: Run): Generator<string> {
  const expected = run.trigger === 'schedule' || run.trigger === 'catch-up';
  if (expected && run.startedAt !== null && run.startedAt - run.slot > minute) {
    yield `started ${Math.round((run.startedAt - run.slot) / 1_000)} s late`;
  }
  if (run.finishBy !== null && run.endedAt !== null && run.endedAt > run.finishBy) {
    yield `finished at ${iso(run.endedAt)}, due by ${iso(run.finishBy)}`;
  }
}

function* brevity(run: Run, job: Job | undefined): Generator<string> {
  const least = job?.minDurationMs ?? null;
  if (least === null || run.state !== 'succeeded' || run.startedAt === null || run.endedAt === null) return;
  const took = run.endedAt - run.startedAt;
  if (took < least) yield `took ${took} ms; it must run at least ${least} ms`;
}

function* bounds(run: Run, job: Job | undefined): Generator<string> {
  if (run.state !== 'succeeded') return;
  for (const [name, { min, max, drift }] of Object.entries(job?.metrics ?? {})) {
    const value = Object.hasOwn(run.metrics, name) ? run.metrics[name] : undefined;
    const wanted = min !== undefined || max !== undefined || drift !== 'off';
    if (value === undefined && wanted) yield `metric ${name} is missing`;
    if (typeof value !== 'number') continue;
    if (min !== undefined && value < min) yield `metric ${name} is ${value}, expected at least ${min}`;
    if (max !== undefined && value > max) yield `metric ${name} is ${value}, expected at most ${max}`;
  }
}

function* outputs(run: Run): Generator<string> {
  for (const { path, problem } of run.outputs) if (problem) yield `output ${path}: ${problem}`;
}
