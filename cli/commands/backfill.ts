import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { RunJson } from '../../shared/api/json.ts';
import { day, iso } from '../../shared/instant.ts';
import { isFinal } from '../../shared/run/run.ts';
import type { LocalTime } from '../../shared/schedule/local-time.ts';
import { localText } from '../../shared/schedule/schedule.ts';
import type { Client } from '../client.ts';
import { jobPath, runnableJob } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { readTime } from '../time.ts';
import { demandHost, waitFor } from '../wait.ts';
import { count } from '../words.ts';
import type { ActOptions } from './act.ts';

export interface BackfillOptions extends ActOptions {
  from?: string;
  to?: string;
  dates?: string;
  dryRun?: boolean;
  wait?: boolean;
  max: number;
}

/** The API queues this many in one request. */
const together = 1_000;

const shape = z.object({
  slots: z.array(z.string()),
  runs: z.array(z.string()),
  done: z.number(),
  timeZone: z.string(),
  concurrency: z.number(),
});
type Answer = z.infer<typeof shape>;

/** Which slots are asked for: a range, or days. */
type Range = { from: string; to: string } | { dates: string[] };

/** `lamp backfill`: one run for each past slot of a range that has not succeeded yet. */
export async function backfill(here: Here, name: string, args: string[], options: BackfillOptions): Promise<void> {
  const range = await rangeOf(options);
  const client = await here.connect(options.by);
  const job = await runnableJob(client, name);
  const plan = await inParts(range, (part) => post(client, job, { ...part, args, dryRun: true }));
  if (plan.slots.length > options.max) {
    throw new Refusal(
      `That is ${plan.slots.length} runs, more than --max ${options.max}. Raise it, or take a shorter range.`,
    );
  }
  if (options.dryRun) return printPlan(job, plan, options.json === true);
  if (options.wait && plan.slots.length > 0) await demandHost(here, client);

  const { why } = options;
  const runs: string[] = [];
  for (const part of ordersOf(range, plan)) runs.push(...(await post(client, job, { ...part, args, why })).runs);
  const { done } = plan;
  if (!options.json) console.log(queuedText(plan, runs.length));
  const counts = options.wait ? await waitAndCount(here, client, runs, options.json !== true) : undefined;
  if (options.json) printJson({ job, dryRun: false, runs, done, ...(counts && { counts }) });
  else if (counts && runs.length > 0) console.log(countsText(counts));
}

function post(client: Client, job: string, body: unknown): Promise<Answer> {
  return client.post(jobPath(job, '/backfill'), body, shape);
}

/** Days beyond what one request takes are asked for in several. */
async function inParts(range: Range, ask: (part: Range) => Promise<Answer>): Promise<Answer> {
  if (!('dates' in range)) return ask(range);
  const answers: Answer[] = [];
  for (const dates of chunks(range.dates)) answers.push(await ask({ dates }));
  const [first = await ask(range)] = answers;
  const slots = answers.flatMap((one) => one.slots);
  return { ...first, slots, done: answers.reduce((sum, { done }) => sum + done, 0) };
}

/** What is left out here is done, so that the instants of a part say all that it needs. */
function ordersOf(range: Range, { slots }: Answer): Range[] {
  if (slots.length === 0) return [];
  if ('dates' in range) return chunks(range.dates).map((dates) => ({ dates }));
  return chunks(slots).map((part) => ({ from: part[0] ?? range.from, to: part.at(-1) ?? range.to }));
}

function chunks(all: string[]): string[][] {
  return Array.from({ length: Math.ceil(all.length / together) }, (_, number) =>
    all.slice(number * together, (number + 1) * together),
  );
}

function printPlan(job: string, { slots, done, timeZone }: Answer, json: boolean): void {
  if (json) {
    printJson({ job, dryRun: true, slots, done });
    return;
  }
  for (const slot of slots) console.log(`${localText(timeZone, Date.parse(slot))}  ${slot}`);
  console.log(`${count(slots.length, 'run')} would be queued; ${count(done, 'slot')} succeeded or under way already.`);
}

function queuedText({ concurrency, done }: Answer, queued: number): string {
  const already = `${count(done, 'slot')} succeeded or under way already`;
  if (queued === 0) return done === 0 ? 'Nothing to do: no slot lies in that range.' : `Nothing to do: ${already}.`;
  return `${count(queued, 'run')} queued, ${concurrency} at a time; ${already}.`;
}

/** Waits for all. A terminal sees how far it is; the exit code is 1 when one did not succeed. */
async function waitAndCount(here: Here, client: Client, runs: string[], chatty: boolean) {
  let over = 0;
  const ended = await waitFor(here, client, runs, (run) => {
    if (isFinal(run.state)) over += 1;
    if (chatty && process.stderr.isTTY) process.stderr.write(`\r${over} of ${runs.length}`);
  });
  if (chatty && process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (ended.some(({ state }) => state !== 'succeeded')) process.exitCode = 1;
  const states = Object.groupBy(ended, ({ state }: RunJson) => state);
  return Object.fromEntries(Object.entries(states).map(([state, some]) => [state, some.length]));
}

function countsText(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([state, number]) => `${number} ${state}`)
    .join(', ');
}

async function rangeOf({ from, to, dates }: BackfillOptions): Promise<Range> {
  if (dates !== undefined) {
    if (from !== undefined || to !== undefined) throw new Refusal('Give either --dates, or --from and --to.');
    return { dates: await readDates(dates) };
  }
  if (from === undefined || to === undefined) throw new Refusal('Say which slots: --from and --to, or --dates FILE.');
  const [first, last] = [readTime('--from', from), readTime('--to', to)];
  if (comesAfter(first, last)) throw new Refusal(`--from ${from} comes after --to ${to}.`);
  return { from: written(first), to: written(last) };
}

/** Two times of one clock; an instant and a clock are compared by the API, which knows the zones. */
function comesAfter(from: LocalTime, to: LocalTime): boolean {
  if (from.kind === 'instant' || to.kind === 'instant') return from.kind === to.kind && begin(from) > begin(to);
  return begin(from) > begin(to) + (to.kind === 'day' ? day - 1 : 0);
}

const begin = (time: LocalTime) => (time.kind === 'instant' ? time.at : time.wall);

/** As the API reads it: a day, a time on the clock of each schedule, or an instant. */
function written(time: LocalTime): string {
  if (time.kind === 'instant') return iso(time.at);
  const text = new Date(time.wall).toISOString();
  return time.kind === 'day' ? text.slice(0, 10) : text.slice(0, 19);
}

async function readDates(file: string): Promise<string[]> {
  const lines = (file === '-' ? await text(process.stdin) : await readText(file)).split(/\r?\n/);
  const dates = lines.flatMap((line, index) => {
    const date = line.trim();
    if (date === '' || date.startsWith('#')) return [];
    const place = `--dates ${file}, line ${index + 1}:`;
    if (readTime(place, date).kind !== 'day') throw new Refusal(`${place} "${date}" is no day such as 2026-11-20`);
    return [date];
  });
  if (dates.length === 0) throw new Refusal(`--dates ${file} has no day in it: write one a line, such as 2026-11-20.`);
  return [...new Set(dates)];
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Refusal(`--dates ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
