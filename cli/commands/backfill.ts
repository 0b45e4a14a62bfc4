import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { backfill as backfillSlots, planBackfill } from '../../shared/actions/backfill.ts';
import { type Instant, iso } from '../../shared/instant.ts';
import type { Job } from '../../shared/job/job.ts';
import { expectedSlots } from '../../shared/run/next.ts';
import { isFinal, type Run, runName } from '../../shared/run/run.ts';
import { localText, slotOnDate } from '../../shared/schedule/schedule.ts';
import type { Home } from '../home.ts';
import { openParts, runnableJob, type Session } from '../host/session.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { readFrom, readTime, readTo } from '../time.ts';
import { demandHost, waitFor } from '../wait.ts';
import { count } from '../words.ts';
import { type ActOptions, person } from './act.ts';

export interface BackfillOptions extends ActOptions {
  from?: string;
  to?: string;
  dates?: string;
  dryRun?: boolean;
  wait?: boolean;
  max: number;
}

/** `lamp backfill`: one run for each past slot of a range that has not succeeded yet. */
export async function backfill(home: Home, name: string, args: string[], options: BackfillOptions): Promise<void> {
  const session = await openParts(home);
  const job = await runnableJob(session, name);
  const now = Date.now();
  const wanted = await wantedSlots(job, options);
  const future = wanted.find((slot) => slot > now);
  if (future !== undefined) throw new Refusal(`${iso(future)} has not come yet: a backfill is for the past.`);
  const slots = await planBackfill(session, job.name, wanted);
  if (slots.length > options.max) {
    throw new Refusal(
      `That is ${slots.length} runs, more than --max ${options.max}. Raise it, or take a shorter range.`,
    );
  }
  const done = wanted.length - slots.length;
  if (options.dryRun) return printPlan(job, slots, done, options.json === true);
  if (options.wait && slots.length > 0) await demandHost(session);

  const runs = await backfillSlots(session, job.name, slots, args, person(home, options), now);
  if (!options.json) console.log(queuedText(job, runs.length, done));
  const counts = options.wait ? await waitAndCount(session, runs, options.json !== true) : undefined;
  if (options.json)
    printJson({ job: job.name, dryRun: false, runs: runs.map(runName), done, ...(counts && { counts }) });
  else if (counts && runs.length > 0) console.log(countsText(counts));
}

function printPlan(job: Job, slots: Instant[], done: number, json: boolean): void {
  if (json) {
    printJson({ job: job.name, dryRun: true, slots: slots.map(iso), done });
    return;
  }
  const zone = job.schedules[0]?.schedule.timeZone ?? 'UTC';
  for (const slot of slots) console.log(`${localText(zone, slot)}  ${iso(slot)}`);
  console.log(`${count(slots.length, 'run')} would be queued; ${count(done, 'slot')} succeeded or under way already.`);
}

function queuedText(job: Job, queued: number, done: number): string {
  const already = `${count(done, 'slot')} succeeded or under way already`;
  if (queued === 0) return done === 0 ? 'Nothing to do: no slot lies in that range.' : `Nothing to do: ${already}.`;
  return `${count(queued, 'run')} queued, ${job.concurrency} at a time; ${already}.`;
}

/** Waits for all. A terminal sees how far it is; the exit code is 1 when one did not succeed. */
async function waitAndCount(session: Session, runs: Run[], chatty: boolean): Promise<Record<string, number>> {
  let over = 0;
  const ended = await waitFor(session, runs, (run) => {
    if (isFinal(run.state)) over += 1;
    if (chatty && process.stderr.isTTY) process.stderr.write(`\r${over} of ${runs.length}`);
  });
  if (chatty && process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (ended.some(({ state }) => state !== 'succeeded')) process.exitCode = 1;
  const states = Object.groupBy(ended, ({ state }) => state);
  return Object.fromEntries(Object.entries(states).map(([state, some]) => [state, some.length]));
}

function countsText(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([state, number]) => `${number} ${state}`)
    .join(', ');
}

async function wantedSlots(job: Job, { from, to, dates }: BackfillOptions): Promise<Instant[]> {
  const [first] = job.schedules;
  if (!first)
    throw new Refusal(`${job.name} has no schedule, so it has no slots to fill. Run it with: lamp run ${job.name}`);
  if (dates !== undefined) {
    if (from !== undefined || to !== undefined) throw new Refusal('Give either --dates, or --from and --to.');
    return [...new Set((await readDates(dates)).map((date) => slotOnDate(first.schedule, date)))];
  }
  if (from === undefined || to === undefined) throw new Refusal('Say which slots: --from and --to, or --dates FILE.');
  const zone = first.schedule.timeZone;
  if (readFrom('--from', from, zone) > readTo('--to', to, zone)) {
    throw new Refusal(`--from ${from} comes after --to ${to}.`);
  }
  // Days and times are on the clock of each schedule's own zone.
  return expectedSlots(job, (timeZone) => [readFrom('--from', from, timeZone), readTo('--to', to, timeZone)]);
}

async function readDates(file: string): Promise<string[]> {
  const lines = (file === '-' ? await text(process.stdin) : await readText(file)).split(/\r?\n/);
  return lines.flatMap((line, index) => {
    const date = line.trim();
    if (date === '' || date.startsWith('#')) return [];
    const place = `--dates ${file}, line ${index + 1}:`;
    if (readTime(place, date).kind !== 'day') throw new Refusal(`${place} "${date}" is no day such as 2026-11-20`);
    return [date];
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Refusal(`--dates ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
