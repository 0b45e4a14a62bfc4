import { iso, minute } from '../instant.ts';
import type { Job, MetricLimits } from '../job/job.ts';
import type { MetricValue } from './attempt.ts';
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
  /** The text without the name: `is 0, expected at least 1`. */
  detail: string;
}

/** Metrics outside the limits of the manifest, or missing; only of successes. */
export function metricProblems(run: Run, job: Job | undefined): Problem[] {
  if (run.state !== 'succeeded') return [];
  return Object.entries(job?.metrics ?? {}).flatMap(([name, limits]) => {
    const detail = problemOf(Object.hasOwn(run.metrics, name) ? run.metrics[name] : undefined, limits);
    return detail === undefined ? [] : [{ name, text: `metric ${name} ${detail}`, detail }];
  });
}

function problemOf(
  value: MetricValue | undefined,
  { min, max, required, drift, values }: MetricLimits,
): string | undefined {
  const wanted = required ?? (min !== undefined || max !== undefined || values !== undefined || drift !== 'off');
  if (value === undefined) return wanted ? 'is missing' : undefined;
  if (typeof value === 'number') {
    if (min !== undefined && value < min) return `is ${value}, expected at least ${min}`;
    return max !== undefined && value > max ? `is ${value}, expected at most ${max}` : undefined;
  }
  const strange = Object.keys(value).filter((name) => values && (value[name] ?? 0) > 0 && !values.includes(name));
  if (strange.length === 0) return undefined;
  return `counts "${strange.slice(0, 3).join('", "')}", expected only "${values?.join('", "')}"`;
}

/** Declared outputs that were not kept, or could not be read. */
export function outputProblems({ outputs }: Run): Problem[] {
  return outputs.flatMap(({ path, problem }) =>
    problem ? [{ name: path, text: `output ${path}: ${problem}`, detail: problem }] : [],
  );
}
