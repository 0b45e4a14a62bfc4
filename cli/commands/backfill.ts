import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { backfill as backfillSlots, planBackfill } from '../../shared/backfill.ts';
import { type Instant, iso, minute } from '../../shared/instant.ts';
import type { Job } from '../../shared/job.ts';
import { isFinal, type Run, runName } from '../../shared/run.ts';
import { localText, slotOnDate, slotsBetween } from '../../shared/schedule/schedule.ts';
import type { Home } from '../home.ts';
import { printJson } from '../json.ts';
import { knownJob, openParts, Refusal } from '../session.ts';
import { waitFor } from '../wait.ts';
import { type ActOptions, person } from './act.ts';

export interface BackfillOptions extends ActOptions {
  from?: string;
  to?: string;
  dates?: string;
  dryRun?: boolean;
  wait?: boolean;
  yes?: boolean;
  max: number;
}

/** `lamp backfill`: one run for each past slot of a range that has not succeeded yet. */
export async function backfill(home: Home, name: string, args: string[], options: BackfillOptions): Promise<void> {
  const parts = await openParts(home);
  const jobName = await knownJob(parts, name);
  const job = parts.catalog().get(jobName)?.job;
  if (!job) throw new Refusal(`${jobName} cannot run: lamp check says why.`);
  const now = Date.now();
  const wanted = await wantedSlots(job, options);
  const future = wanted.filter((slot) => slot > now);
  if (future.length > 0) throw new Refusal(`${iso(future[0] ?? now)} has not come yet: a backfill is for the past.`);
  const slots = await planBackfill(parts, jobName, wanted);
  if (slots.length > options.max) {
    throw new Refusal(
      `That is ${slots.length} runs, more than --max ${options.max}. Raise it, or take a shorter range.`,
    );
  }
  const done = wanted.length - slots.length;
  if (options.dryRun) {
    const zone = job.schedules[0]?.schedule.timeZone ?? 'UTC';
    if (options.json) printJson({ job: jobName, dryRun: true, slots: slots.map(iso), done });
    else {
      for (const slot of slots) console.log(`${localText(zone, slot)}  ${iso(slot)}`);
      console.log(`${slots.length} runs would be queued; ${done} slots have succeeded or are under way already.`);
    }
    return;
  }
  const runs = await backfillSlots(parts, jobName, slots, args, person(home, options), now);
  if (!options.json)
    console.log(`${runs.length} runs queued, ${job.concurrency} at a time; ${done} slots are done already.`);
  const ended: Run[] = [];
  if (options.wait) for (const run of runs) ended.push(await waitFor(parts, run, false));
  const states = Object.groupBy(ended, ({ state }) => state);
  const counts = Object.fromEntries(Object.entries(states).map(([state, some]) => [state, some.length]));
  if (options.json)
    printJson({ job: jobName, dryRun: false, runs: runs.map(runName), done, ...(options.wait && { counts }) });
  else if (options.wait)
    console.log(
      Object.entries(counts)
        .map(([state, count]) => `${count} ${state}`)
        .join(', '),
    );
  if (ended.some(({ state }) => isFinal(state) && state !== 'succeeded')) process.exitCode = 1;
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
  // A date means the whole day, on the clock of the job's own zone; slots are strictly after the first argument.
  const slots = job.schedules.flatMap(({ schedule }) =>
    slotsBetween(schedule, bound('--from', from, schedule.timeZone, 0) - 1, bound('--to', to, schedule.timeZone, 1)),
  );
  return [...new Set(slots)];
}

/** @param days added to a plain date, so that `--to` includes its whole day */
function bound(flag: string, given: string, timeZone: string, days: number): Instant {
  const at = Date.parse(given);
  if (Number.isNaN(at) || !/^\d{4}-\d\d-\d\d/.test(given)) {
    throw new Refusal(`${flag} "${given}" is no date or instant: write 2026-11-01 or 2026-11-01T07:00Z`);
  }
  if (given.length > 10) return at;
  const day = new Date(at + days * 24 * 60 * minute).toISOString().slice(0, 10);
  return startOfDay(timeZone, day) - (days > 0 ? 1 : 0);
}

/** Midnight of a date on the clock of a zone: the same instant in UTC, moved by the zone's offset there. */
function startOfDay(timeZone: string, date: string): Instant {
  const utc = Date.parse(`${date}T00:00Z`);
  const offset = (at: Instant) => Date.parse(`${localText(timeZone, at).slice(0, 19)}Z`) - at;
  return utc - offset(utc - offset(utc));
}

async function readDates(file: string): Promise<string[]> {
  const lines = (file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')).split(/\r?\n/);
  return lines.flatMap((line, index) => {
    const date = line.trim();
    if (date === '' || date.startsWith('#')) return [];
    if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date))) {
      throw new Refusal(`${file}:${index + 1}: "${date}" is no date such as 2026-11-20`);
    }
    return [date];
  });
}
