import { styleText } from 'node:util';
import { jobJson } from '../../shared/api/json.ts';
import type { Instant } from '../../shared/instant.ts';
import type { Job } from '../../shared/job/job.ts';
import type { JobRow } from '../../shared/run/job-row.ts';
import { nextExpected } from '../../shared/run/next.ts';
import { localText } from '../../shared/schedule/schedule.ts';
import type { Home } from '../home.ts';
import { jobNames, openParts, type Session } from '../host/session.ts';
import { printJson } from '../json.ts';
import { printTable, stateText } from '../table.ts';
import { spanText } from '../words.ts';

interface Line {
  name: string;
  /** Undefined: its folder is gone or broken. */
  job: Job | undefined;
  broken: boolean;
  /** Undefined: no host has seen it yet. */
  row: JobRow | undefined;
  next: Instant | undefined;
}

/** `lamp jobs`: what runs here, with whom, how it went last and when it runs next; what needs a person comes first. */
export async function jobs(home: Home, options: { json?: boolean }): Promise<void> {
  const session = await openParts(home);
  const now = Date.now();
  const lines = (await readLines(session, now)).sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  if (options.json)
    printJson(
      lines.map(({ name, job, row, broken }) => ({
        ...jobJson(name, job, row, now),
        ...(broken && { status: 'broken' }),
      })),
    );
  else if (lines.length === 0) console.log('There is no job yet. Make one with: lamp new <job>');
  else
    printTable(
      ['JOB', 'LAST', 'NEXT', 'OWNER', 'WHAT'],
      lines.map((line) => cells(line, now)),
    );
}

async function readLines(session: Session, now: Instant): Promise<Line[]> {
  const rows = new Map<string, JobRow>();
  for await (const { value } of session.store.jobs.all()) rows.set(value.name, value);
  return (await jobNames(session)).map((name) => {
    const job = session.catalog().get(name)?.job;
    const next = job?.status === 'decommissioned' ? undefined : job && nextOf(job, now);
    return { name, job, broken: session.broken.has(name), row: rows.get(name), next };
  });
}

/** Broken and failing before paused before well; those that are gone last. */
function rank({ job, broken, row }: Line): number {
  if (broken || (row && row.streak < 0 && job)) return 0;
  if (!job) return 3;
  return row?.paused ? 1 : 2;
}

function cells({ name, job, broken, row, next }: Line, now: Instant): string[] {
  return [
    name,
    lastText(row, now),
    nextText({ job, broken, row, next }, now),
    job?.owner.email ?? '',
    job?.description ?? '',
  ];
}

function nextOf(job: Job, now: Instant): Instant | undefined {
  return nextExpected(job, now)?.at;
}

function nextText({ job, broken, row, next }: Omit<Line, 'name'>, now: Instant): string {
  if (broken) return styleText('red', 'broken: lamp check');
  if (!job) return styleText('dim', 'folder removed');
  if (row?.paused) return styleText('yellow', `paused by ${row.paused.by.split('@')[0]}`);
  if (next === undefined) return styleText('dim', job.status === 'decommissioned' ? 'never again' : 'by hand');
  const zone = job.schedules[0]?.schedule.timeZone ?? 'UTC';
  return `${localText(zone, next).slice(0, 16).replace('T', ' ')} ${styleText('dim', `in ${spanText(next - now)}`)}`;
}

function lastText(row: JobRow | undefined, now: Instant): string {
  if (row && row.running.length > 0) return stateText('running');
  if (!row?.last) return styleText('dim', 'never');
  const times = row.streak < -1 ? ` ${-row.streak} times` : '';
  return `${stateText(row.last.state)}${times} ${styleText('dim', `${spanText(Math.max(now - row.last.endedAt, 0))} ago`)}`;
}
