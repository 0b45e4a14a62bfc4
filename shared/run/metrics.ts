import type { AttemptResult, MetricValue, OutputProfile } from './attempt.ts';
import { currentAttempt, type Run } from './run.ts';

/** What of a run goes into its history of metrics; drift compares as many at each run. */
export const mostMetrics = 200;

/**
 * All that can be measured of a final run, what matters most first: the run itself, what its script reported, the rows
 * of its outputs, then what their columns hold. A script's own names hold no colon, so none hides another.
 *
 * - `run:duration_ms` (of the last attempt, from the job's own start on), `run:cpu_ms`, `run:peak_memory_bytes`, `run:log_bytes`
 * - `output:<path>/rows`, `output:<path>/columns`
 * - `output:<path>/<column>.nulls` (share, 0–1), `.mean`, `.sd`, `.min`, `.max`; `.mix`: counts by category
 *
 * @param result of the last attempt; undefined: it has left none
 */
export function measured(run: Run, result: AttemptResult | undefined): Map<string, MetricValue> {
  const all = new Map<string, MetricValue>();
  const add = ([name, value]: [string, MetricValue]) => all.set(name, value);
  for (const one of ofRun(run, result)) add(one);
  for (const one of Object.entries(result?.metrics ?? run.metrics)) add(one);
  const tables = result ? profiles(result) : [];
  for (const [path, { rows, columns }] of tables) {
    add([`output:${path}/rows`, rows]);
    add([`output:${path}/columns`, columns.length]);
  }
  const described = tables.flatMap(([path, profile]) => columnNames(path, profile));
  for (const [name, column, rows] of described) for (const one of main(name, column, rows)) add(one);
  for (const [name, column] of described) for (const one of spread(name, column)) add(one);
  return all;
}

/** The first {@link mostMetrics} of these. */
export function kept(all: ReadonlyMap<string, MetricValue>): Map<string, MetricValue> {
  return new Map([...all].slice(0, mostMetrics));
}

/** One sentence when not all are kept. */
export function leftOut(all: ReadonlyMap<string, MetricValue>): string[] {
  if (all.size <= mostMetrics) return [];
  const first = [...all.keys()][mostMetrics];
  return [
    `${all.size} metrics, and at most ${mostMetrics} a run are kept, without "${first}" and what follows: report fewer, or declare fewer outputs`,
  ];
}

function* ofRun(run: Run, result: AttemptResult | undefined): Generator<[string, MetricValue]> {
  const attempt = currentAttempt(run);
  if (!attempt || attempt.state === 'abandoned') return;
  const from = result ? Date.parse(result.jobStartedAt ?? result.startedAt) : attempt.startedAt;
  if (attempt.endedAt !== null) yield ['run:duration_ms', Math.max(attempt.endedAt - from, 0)];
  if (attempt.cpuMs !== null) yield ['run:cpu_ms', attempt.cpuMs];
  if (attempt.peakMemoryBytes !== null) yield ['run:peak_memory_bytes', attempt.peakMemoryBytes];
  if (attempt.logBytes !== null) yield ['run:log_bytes', attempt.logBytes];
}

type Column = OutputProfile['columns'][number];

function profiles({ outputs }: AttemptResult): [string, OutputProfile][] {
  return outputs.flatMap(({ path, profile }) => (profile ? [[path, profile] satisfies [string, OutputProfile]] : []));
}

/** A name for each column; the second of two with the same name gets a number. */
function columnNames(path: string, { rows, columns }: OutputProfile): [string, Column, number][] {
  const seen = new Map<string, number>();
  return columns.map((column) => {
    const count = (seen.get(column.name) ?? 0) + 1;
    seen.set(column.name, count);
    return [`output:${path}/${column.name}${count > 1 ? ` (${count})` : ''}`, column, rows];
  });
}

function* main(name: string, { nulls, mean, top, distinct }: Column, rows: number): Generator<[string, MetricValue]> {
  yield [`${name}.nulls`, nulls];
  if (mean !== undefined) yield [`${name}.mean`, mean];
  // A column of names or ids has no mix: hardly a value comes twice.
  const filled = Math.round(rows * (1 - nulls));
  if (top && distinct !== undefined && distinct <= filled / 2) yield [`${name}.mix`, mixOf(top, filled)];
}

function* spread(name: string, { sd, min, max }: Column): Generator<[string, MetricValue]> {
  if (sd !== undefined) yield [`${name}.sd`, sd];
  if (min !== undefined) yield [`${name}.min`, min];
  if (max !== undefined) yield [`${name}.max`, max];
}

/** The counts of the top categories, and in one of the others: shares are of all rows. */
function mixOf(top: readonly [string, number][], filled: number): Record<string, number> {
  const mix = new Map<string, number>();
  // Two that were redacted, or shortened to the same, are one.
  for (const [category, count] of top) mix.set(category, (mix.get(category) ?? 0) + count);
  const others = filled - [...mix.values()].reduce((sum, count) => sum + count, 0);
  if (others > 0) mix.set('…', (mix.get('…') ?? 0) + others);
  return Object.fromEntries(mix);
}

/** Whether a metric is of what came in, whatever the job made of it: its name says so. */
export function isInput(metric: string): boolean {
  return /^(input|incoming|source|rows_in|rows_read)/i.test(metric);
}
