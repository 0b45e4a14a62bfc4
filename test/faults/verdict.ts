import type { Options } from './options.ts';
import { commandOf } from './options.ts';

/** What a run of the harness has found. */
export interface Verdict {
  /** Slots of which there must be a run. */
  slots: number;
  succeeded: number;
  /** Ended otherwise, honestly: what was done to its attempts says why. */
  failed: string[];
  /** Skipped as the slot before was really still running. */
  skipped: number;
  /** Of a removed job, before they began. */
  cancelled: number;
  /** Under way, and to be looked at in time: with little patience these are left. */
  pending: number;
  attempts: number;
  mostAtOnce: number;
  /** All of these must be empty. */
  wrong: Record<Wrong, string[]>;
}

export const wrongs = ['missed', 'duplicate', 'extra', 'lost', 'stuck', 'over the limit', 'wrongly skipped'] as const;
export type Wrong = (typeof wrongs)[number];

export function newVerdict(): Verdict {
  const wrong = Object.fromEntries(wrongs.map((name) => [name, [] as string[]])) as Verdict['wrong'];
  return {
    slots: 0,
    succeeded: 0,
    failed: [],
    skipped: 0,
    cancelled: 0,
    pending: 0,
    attempts: 0,
    mostAtOnce: 0,
    wrong,
  };
}

export function isClean({ wrong }: Verdict): boolean {
  return Object.values(wrong).every(({ length }) => length === 0);
}

/** A table for people, what is wrong line by line, and the command that repeats it. */
export function reportOf(
  verdict: Verdict,
  options: Options,
  done: Record<string, number>,
  hurt: Record<string, number>,
): string {
  const { wrong, failed, ...rest } = verdict;
  const rows: [string, number | string][] = [
    ['slots', rest.slots],
    ['runs that succeeded', rest.succeeded],
    ['failed, as was done to them', failed.length],
    ['skipped, the one before still running', rest.skipped],
    ['cancelled with their job', rest.cancelled],
    ['still under way, in order', rest.pending],
    ['attempts that began', rest.attempts],
    ['most at once', options.limit === undefined ? rest.mostAtOnce : `${rest.mostAtOnce} of ${options.limit}`],
    ...wrongs.map((name): [string, number] => [name, wrong[name].length]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `| ${name.padEnd(width)} | ${String(value).padStart(9)} |`);
  const details = [...wrongs.map((name) => [name, wrong[name]] as const), ['failed', failed] as const];
  for (const [name, list] of details) lines.push(...list.slice(0, 20).map((line) => `${name}: ${line}`));
  return [
    `faults ${JSON.stringify(done)}`,
    `requests hurt ${JSON.stringify(hurt)}`,
    ...lines,
    isClean(verdict) ? 'clean' : 'NOT CLEAN',
    `again: ${commandOf(options)}`,
  ].join('\n');
}
