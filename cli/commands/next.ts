import { styleText } from 'node:util';
import { type Instant, iso } from '../../shared/instant.ts';
import { nearest } from '../../shared/nearest.ts';
import { previewOf } from '../../shared/run/preview.ts';
import { previewSlots } from '../../shared/schedule/note.ts';
import {
  clockChanges,
  localText,
  parseSchedule,
  type Schedule,
  ScheduleError,
} from '../../shared/schedule/schedule.ts';
import { jobPath, knownJob, query } from '../find.ts';
import type { Here } from '../here.ts';
import type { Home } from '../home.ts';
import { brokenJobs, readManifests } from '../host/folder.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { listOf, slotShape } from '../shapes.ts';
import { printTable } from '../table.ts';
import { readFrom } from '../time.ts';

export interface NextOptions {
  n: number;
  after?: string;
  cron?: string;
  timeZone?: string;
  json?: boolean;
}

/** The API gives no more at once. */
const most = 1_000;

interface Line {
  job: string | undefined;
  at: Instant;
  timeZone: string;
  note: string | undefined;
}

/** `lamp next`: when jobs, or any schedule, run next, on both clocks, with the clock changes in between. */
export async function next(here: Here, name: string | undefined, options: NextOptions): Promise<void> {
  if (name !== undefined && options.cron !== undefined) {
    throw new Refusal('Name a job, or give a schedule with --cron: not both.');
  }
  if (options.n > most) throw new Refusal(`-n ${options.n}: expected at most ${most}.`);
  const after = options.after === undefined ? here.now() : readFrom('--after', options.after);
  const lines = options.cron === undefined ? await ofJobs(here, name, after, options) : ofCron(options, after);
  if (options.json) {
    printJson(
      lines.map(({ job, at, timeZone, note }) => ({
        utc: iso(at),
        local: localText(timeZone, at),
        ...(job && { job }),
        ...(note && { note }),
      })),
    );
    return;
  }
  if (lines.length === 0) {
    console.log('Nothing: no schedule, or no run before the year 10000.');
    return;
  }
  const rows = withChanges(lines, after).map(({ job, at, timeZone, note }) => [
    ...(options.cron === undefined ? [job ?? ''] : []),
    localText(timeZone, at).replace('T', ' '),
    iso(at),
    [timeZone, note].filter(Boolean).join(' · '),
  ]);
  printTable([...(options.cron === undefined ? ['JOB'] : []), 'LOCAL', 'UTC', 'TIME ZONE'], rows);
}

function ofCron({ cron = '', timeZone = 'UTC', n }: NextOptions, after: Instant): Line[] {
  return preview(refuse(cron, timeZone), undefined, after, n);
}

function refuse(cron: string, timeZone: string): Schedule {
  try {
    return parseSchedule(cron, timeZone);
  } catch (error) {
    if (error instanceof ScheduleError) throw new Refusal(`${error.message}\n  ${error.hint}`);
    throw error;
  }
}

async function ofJobs(here: Here, name: string | undefined, after: Instant, { n }: NextOptions): Promise<Line[]> {
  if (!(await here.isRemote())) return ofFolder(here.home, name, after, n);
  const client = await here.connect();
  const path = name === undefined ? '/slots' : jobPath(await knownJob(client, name), '/slots');
  const { items } = await client.get(path + query({ count: n, after: iso(after) }), listOf(slotShape));
  return items.map(({ job, utc, timeZone, note }) => {
    return { job, at: Date.parse(utc), timeZone, note: note ?? undefined };
  });
}

/** Manifests say it all: no host is needed. */
async function ofFolder(home: Home, name: string | undefined, after: Instant, n: number): Promise<Line[]> {
  const { catalog, problems } = await readManifests(home.jobs);
  const broken = brokenJobs(home.jobs, problems);
  if (name !== undefined && !catalog.has(name)) {
    if (broken.has(name)) throw new Refusal(`${name} cannot run, its folder has problems: lamp check names them.`);
    const near = nearest(name, [...catalog.keys(), ...broken]);
    throw new Refusal(`There is no job "${name}".${near ? ` Did you mean ${near}?` : ''}`);
  }
  if (broken.size > 0 && name === undefined) console.error(`Without ${[...broken].join(', ')}: lamp check says why.`);
  const jobs = [...catalog.values()].map(({ job }) => job);
  return previewOf(
    jobs.filter((job) => name === undefined || job.name === name),
    after,
    n,
  );
}

function preview(schedule: Schedule, job: string | undefined, after: Instant, n: number): Line[] {
  return previewSlots(schedule, after, n).map(({ at, note }) => ({ job, at, timeZone: schedule.timeZone, note }));
}

/** The runs with a line for each change of a clock between them. */
function withChanges(lines: Line[], after: Instant): Line[] {
  const until = lines.at(-1)?.at ?? after;
  const zones = new Set(lines.map(({ timeZone }) => timeZone));
  const changes = [...zones].flatMap((timeZone) =>
    clockChanges(timeZone, after, until).map(({ at, fromOffset, toOffset }): Line => {
      const by = Math.abs(toOffset - fromOffset);
      const note = `the clock goes ${toOffset > fromOffset ? 'forward' : 'back'} by ${by} min`;
      return { job: styleText('dim', '—'), at, timeZone, note: styleText('yellow', note) };
    }),
  );
  return [...changes, ...lines].sort((a, b) => a.at - b.at);
}
