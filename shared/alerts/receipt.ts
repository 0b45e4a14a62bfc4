import { day, type Instant, iso } from '../instant.ts';
import type { Job } from '../job/job.ts';
import { type Run, runName } from '../run/run.ts';
import { line } from './clean.ts';
import { spanText } from './clocks.ts';
import { versusUsual, when } from './compose.ts';
import type { Message } from './message.ts';
import { durationOf, type Usual, usualOf } from './usual.ts';

/** What owners ask for who want to hear of good runs as well: a line for each, or a digest a week. */

/** One line: `Ran at 07:00, took 3 min (usual 2 min to 4 min); rows 412.` */
export function receiptText(run: Run, job: Job, usual: Usual): string {
  const begun = run.startedAt === null ? '' : `Ran at ${when(run.startedAt, job)}`;
  const versus = versusUsual(run, usual);
  const took = durationOf(run);
  const plain = took === null ? '' : `took ${spanText(took)}`;
  const figures = Object.entries(run.metrics)
    .filter(([, value]) => typeof value === 'number')
    .slice(0, 5)
    .map(([name, value]) => `${name} ${value}`);
  const parts = [begun, versus ?? plain, ...(versus?.includes(';') ? [] : figures)].filter((part) => part !== '');
  const warned = run.warnings.length > 0 ? ` Look at: ${run.warnings.slice(0, 3).join('; ')}.` : '';
  return `${parts.join(', ')}.${warned}`;
}

export function receiptMessage(run: Run, job: Job, usual: Usual, now: Instant): Message {
  return message(
    `receipt.${job.name}.${run.id}`,
    `DONE ${job.name}`,
    [receiptText(run, job, usual), `Run: ${runName(run)}`],
    now,
  );
}

/** The week before the one of `now`: from Monday to Monday, UTC. */
export function weekBefore(now: Instant): { from: Instant; to: Instant } {
  const today = Math.floor(now / day);
  // 1970-01-01 was a Thursday.
  const monday = today - ((today + 3) % 7);
  return { from: (monday - 7) * day, to: monday * day };
}

/** @param runs of that week; undefined: the job had none */
export function digestMessage(runs: readonly Run[], job: Job, now: Instant): Message | undefined {
  if (runs.length === 0) return undefined;
  const { from } = weekBefore(now);
  const counts = new Map<string, number>();
  for (const { state, slots } of runs) counts.set(state, (counts.get(state) ?? 0) + slots);
  const states = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  const { durationMs, metrics } = usualOf(runs);
  const lines = [`Week from ${iso(from).slice(0, 10)}: ${states}.`];
  if (durationMs)
    lines.push(
      `A success took ${spanText(durationMs.median)} (${spanText(durationMs.low)} to ${spanText(durationMs.high)}).`,
    );
  for (const [name, { low, high, median }] of Object.entries(metrics).slice(0, 10))
    lines.push(`${name}: ${short(median)} (${short(low)} to ${short(high)})`);
  return message(`digest.${job.name}.${from}`, `WEEK of ${job.name}`, lines, now);
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function message(key: string, title: string, texts: readonly string[], at: Instant): Message {
  const sections = texts.map((text) => ({ kind: 'text', text: line(text, 1_000) }) as const);
  return { key, thread: key, kind: 'receipt', severity: 'good', title, sections, links: [], at };
}
