import { iso } from '../../shared/instant.ts';
import type { JobEvent } from '../../shared/run/job-event.ts';
import { cut } from '../../shared/text.ts';
import type { Home } from '../home.ts';
import { jobNames, knownJob, openParts } from '../host/session.ts';
import { printJson } from '../json.ts';
import { printTable } from '../table.ts';
import { readSince } from '../time.ts';

/** Of a reason in a table; JSON has it all. */
const longestWhy = 400;

/** `lamp events`: who did what to a job, or to any, when and why; newest first. */
export async function events(
  home: Home,
  name: string | undefined,
  options: { since?: string; limit: number; json?: boolean },
): Promise<void> {
  const since = options.since === undefined ? 0 : readSince(options.since, Date.now());
  const session = await openParts(home);
  const names = name === undefined ? await jobNames(session) : [await knownJob(session, name)];
  const found: JobEvent[] = [];
  for (const job of names) {
    let left = options.limit;
    for await (const event of session.store.events.list(job)) {
      if (event.at < since || left-- === 0) break;
      found.push(event);
    }
  }
  const listed = found.sort((a, b) => b.at - a.at).slice(0, options.limit);
  if (options.json) {
    printJson(listed.map(({ at, job, kind, by, why, details }) => ({ at: iso(at), job, kind, by, why, details })));
  } else if (listed.length === 0) console.log('Nothing has been done yet.');
  else {
    const rows = listed.map((event) => [
      iso(event.at).slice(0, 19).concat('Z'),
      event.job,
      event.kind,
      event.by,
      detail(event),
    ]);
    printTable(['WHEN', 'JOB', 'WHAT', 'WHO', 'WHY'], rows);
  }
}

function detail({ job, why, details }: JobEvent): string {
  const facts = Object.entries(details)
    // The whole manifest as it was deployed is for --json.
    .filter(([key, value]) => value !== '' && key !== 'manifest')
    .map(([key, value]) => {
      if (key === 'run' || key === 'repeats') return `${key} ${job}.${value}`;
      return `${key} ${/^[0-9a-f]{40,64}\+?$/.test(String(value)) ? String(value).slice(0, 12) : value}`;
    });
  return [cut(why, longestWhy), ...facts].filter((text) => text !== '').join(' · ');
}
