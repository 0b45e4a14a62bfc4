import { styleText } from 'node:util';
import { type JobJson, jobJson } from '../../shared/api/json.ts';
import type { Instant } from '../../shared/instant.ts';
import { localText } from '../../shared/schedule/schedule.ts';
import { allJobs } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { printTable, stateText } from '../table.ts';
import { spanText } from '../words.ts';

/** `lamp jobs`: what runs here, with whom, how it went last and when it runs next; what needs a person comes first. */
export async function jobs(here: Here, options: { json?: boolean }): Promise<void> {
  const client = await here.connect();
  const now = here.now();
  const listed = await allJobs(client);
  const known = new Set(listed.map(({ job }) => job));
  const broken = [...client.broken].filter((name) => !known.has(name));
  const lines = [...listed, ...broken.map((name) => jobJson(name, undefined, undefined, now))]
    .map((line): JobJson => (client.broken.has(line.job) ? { ...line, status: 'broken' } : line))
    .sort((a, b) => rank(a) - rank(b) || (a.job < b.job ? -1 : 1));
  if (options.json) printJson(lines);
  else if (lines.length === 0) {
    console.log(client.remote ? 'No job is deployed there.' : 'There is no job yet. Make one with: lamp new <job>');
  } else
    printTable(
      ['JOB', 'LAST', 'NEXT', 'OWNER', 'WHAT'],
      lines.map((line) => cells(line, now)),
    );
}

/** Broken and failing before paused before well; those that are gone last. */
function rank({ status, streak, paused }: JobJson): number {
  if (status === 'broken' || (streak < 0 && status !== 'removed')) return 0;
  if (status === 'removed') return 3;
  return paused ? 1 : 2;
}

function cells(line: JobJson, now: Instant): string[] {
  return [line.job, lastText(line, now), nextText(line, now), line.owner?.email ?? '', line.description ?? ''];
}

function nextText({ status, paused, next, schedules }: JobJson, now: Instant): string {
  if (status === 'broken') return styleText('red', 'broken: lamp check');
  if (status === 'removed') return styleText('dim', 'folder removed');
  if (paused) return styleText('yellow', `paused by ${paused.by.split('@')[0]}`);
  if (next === null) return styleText('dim', status === 'decommissioned' ? 'never again' : 'by hand');
  const at = Date.parse(next);
  const local = localText(schedules[0]?.timeZone ?? 'UTC', at)
    .slice(0, 16)
    .replace('T', ' ');
  return `${local} ${styleText('dim', `in ${spanText(at - now)}`)}`;
}

function lastText({ running, last, streak }: JobJson, now: Instant): string {
  if (running.length > 0) return stateText('running');
  if (!last) return styleText('dim', 'never');
  const times = streak < -1 ? ` ${-streak} times` : '';
  const ago = spanText(Math.max(now - Date.parse(last.endedAt), 0));
  return `${stateText(last.state)}${times} ${styleText('dim', `${ago} ago`)}`;
}
