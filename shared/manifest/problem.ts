/** One thing to fix in the jobs folder: where, what, and what to do. */
export interface Problem {
  /** Path as the reader would type it, e.g. `jobs/x/job.yaml`. */
  file: string;
  /** Counts from 1, as `column` does. */
  line?: number;
  column?: number;
  /** Field, e.g. `schedule.cron` or `inputs[0]`. */
  path?: string;
  /** Stable and kebab-case, for machines. */
  code: string;
  /** The value and what was expected. */
  message: string;
  /** What to do. */
  hint?: string;
  /** `warning`: the job runs all the same. Left out: it does not. */
  severity?: 'warning';
}

/** Whether a problem keeps its job from running. */
export function isError({ severity }: Problem): boolean {
  return severity === undefined;
}

/** `jobs/x/job.yaml:7:12  schedule.cron: "0 7 * *" has 4 fields; …`, the hint on an indented line of its own. */
export function problemText(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  const field = problem.path ? `${problem.path}: ` : '';
  const hint = problem.hint ? `\n    ${problem.hint}` : '';
  return `${place}  ${isError(problem) ? '' : 'warning: '}${field}${problem.message}${hint}`;
}

/** Order for people: by file, then line, then column; problems of a whole file come first. */
export function byPlace(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
