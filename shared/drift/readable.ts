import type { Instant } from '../instant.ts';
import type { Numbers } from './sentence.ts';

/** Metrics, values and days as people read them. */

/** `output:outbound.csv/score.mean` → `the mean of the column score in outbound.csv`. */
export function readable(metric: string): string {
  const own = /^run:(.+)$/.exec(metric);
  if (own)
    return (
      {
        duration_ms: 'the run time',
        cpu_ms: 'the CPU time',
        peak_memory_bytes: 'the memory used',
        log_bytes: 'the size of the log',
      }[own[1] ?? ''] ?? metric
    );
  const output = /^output:(.+)\/([^/]+)$/.exec(metric);
  if (!output) return metric.replace(/_/g, ' ');
  const [, path, rest = ''] = output;
  if (rest === 'rows') return `the number of rows in ${path}`;
  if (rest === 'columns') return `the number of columns in ${path}`;
  const column = /^(.+)\.(nulls|mean|sd|min|max|mix)$/.exec(rest);
  const names: Record<string, string> = {
    nulls: 'the share of empty cells',
    mean: 'the mean',
    sd: 'the spread',
    min: 'the smallest',
    max: 'the largest',
    mix: 'the categories',
  };
  return column ? `${names[column[2] ?? '']} of the column ${column[1]} in ${path}` : `${rest} in ${path}`;
}

export function valueText(value: number, { share, unit }: Pick<Numbers, 'share' | 'unit'>): string {
  if (!Number.isFinite(value)) return String(value);
  if (share) return `${Number((value * 100).toPrecision(value < 0.1 ? 2 : 3))} %`;
  for (const [from, divisor, name] of steps[unit ?? ''] ?? []) {
    if (Math.abs(value) >= from) return `${plain(value / divisor)} ${name}`;
  }
  return unit ? `${plain(value)} ${unit}` : plain(value);
}

/** From this value on, divided by this, called this. */
const steps: Record<string, [number, number, string][]> = {
  ms: [
    [7_200_000, 3_600_000, 'hours'],
    [600_000, 60_000, 'minutes'],
    [1_000, 1_000, 's'],
  ],
  bytes: [
    [2 ** 30, 2 ** 30, 'GB'],
    [2 ** 20, 2 ** 20, 'MB'],
    [2 ** 10, 2 ** 10, 'KB'],
  ],
};

function plain(value: number): string {
  return Math.abs(value) >= 1e15 ? value.toExponential(2) : Number(value.toPrecision(3)).toLocaleString('en-GB');
}

/** What the figures of a run itself are counted in. */
export function unitOf(metric: string): string | undefined {
  return /^run:.*_(ms|bytes)$/.exec(metric)?.[1];
}

export function dayText(at: Instant, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone,
  })
    .format(at)
    .replace(',', '');
}

/** A metric inside a sentence: as its owner calls it, or in quotes as the script does. */
export function named({ metric, label, kind }: Pick<Numbers, 'metric' | 'label' | 'kind'>): string {
  if (label !== undefined) return label;
  if (/^(run|output):/.test(metric)) return readable(metric);
  const name = readable(metric);
  return kind === 'mix' ? `the mix by "${name.replace(/^(by|mix( by)?) /, '')}"` : `the figure "${name}"`;
}

/** What a sign shows, in a few words beside a longer sentence about another. */
export function briefOf(numbers: Numbers): string {
  return numbers.brief ?? named(numbers);
}
