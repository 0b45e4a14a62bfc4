import { iso, minute } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Run } from './run.ts';

/** What a person should know about a finished run although it did not fail it. One sentence each. */
export function warnings(run: Run, job: Job | undefined): string[] {
  const reported = [...metricProblems(run, job), ...outputProblems(run)].map(({ text }) => text);
  return [...lateness(run), ...brevity(run, job), ...reported];
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

/** A metric or output of a run that is not as its manifest wants it. */
export interface Problem {
  /** Of the metric, or path of the output. */
  name: string;
  text: string;
}

/** Metrics outside the limits of the manifest, or missing; only of successes. */
export function metricProblems(run: Run, job: Job | undefined): Problem[] {
  if (run.state !== 'succeeded') return [];
  return Object.entries(job?.metrics ?? {}).flatMap(([name, { min, max, required, drift }]) => {
    const value = Object.hasOwn(run.metrics, name) ? run.metrics[name] : undefined;
    const wanted = required ?? (min !== undefined || max !== undefined || drift !== 'off');
    if (value === undefined) return wanted ? [{ name, text: `metric ${name} is missing` }] : [];
    if (typeof value !== 'number') return [];
    if (min !== undefined && value < min)
      return [{ name, text: `metric ${name} is ${value}, expected at least ${min}` }];
    if (max !== undefined && value > max)
      return [{ name, text: `metric ${name} is ${value}, expected at most ${max}` }];
    return [];
  });
}

/** Declared outputs that were not kept, or could not be read. */
export function outputProblems({ outputs }: Run): Problem[] {
  return outputs.flatMap(({ path, problem }) => (problem ? [{ name: path, text: `output ${path}: ${problem}` }] : []));
}
