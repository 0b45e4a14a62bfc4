import type { EventJson } from '../../shared/api/json.ts';
import { iso } from '../../shared/instant.ts';
import { cut } from '../../shared/text.ts';
import { jobPath, knownJob, query } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { eventShape, listOf } from '../shapes.ts';
import { printTable } from '../table.ts';
import { readSince } from '../time.ts';

/** Of a reason in a table; JSON has it all. */
const longestWhy = 400;
/** The API gives no more at once. */
const most = 5_000;

/** `lamp events`: who did what to a job, or to any, when and why; newest first. */
export async function events(
  here: Here,
  name: string | undefined,
  options: { since?: string; limit: number; json?: boolean },
): Promise<void> {
  if (options.limit > most)
    throw new Refusal(`--limit ${options.limit}: expected at most ${most}; narrow it by --since`);
  const since = options.since === undefined ? undefined : iso(Math.max(readSince(options.since, here.now()), 0));
  const client = await here.connect();
  const path = name === undefined ? '/events' : jobPath(await knownJob(client, name), '/events');
  const { items } = await client.get(path + query({ since, limit: options.limit }), listOf(eventShape));
  if (options.json) printJson(items);
  else if (items.length === 0) console.log('Nothing has been done yet.');
  else {
    const rows = items.map((event) => [
      event.at.slice(0, 19).concat('Z'),
      event.job,
      event.kind,
      event.by,
      detail(event),
    ]);
    printTable(['WHEN', 'JOB', 'WHAT', 'WHO', 'WHY'], rows);
  }
}

function detail({ job, why, details }: EventJson): string {
  const facts = Object.entries(details)
    // The whole manifest as it was deployed is for --json.
    .filter(([key, value]) => value !== '' && key !== 'manifest')
    .map(([key, value]) => {
      if (key === 'run' || key === 'repeats') return `${key} ${job}.${value}`;
      return `${key} ${/^[0-9a-f]{40,64}\+?$/.test(String(value)) ? String(value).slice(0, 12) : value}`;
    });
  return [cut(why, longestWhy), ...facts].filter((text) => text !== '').join(' · ');
}
