import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { nearest } from '../nearest.ts';
import { type Calendar, type Closed, weekdays } from '../schedule/calendar.ts';
import { parseLocalTime } from '../schedule/local-time.ts';
import { type Document, readDocument } from './document.ts';
import { decode } from './encoding.ts';
import { oneOf, text, words } from './field.ts';
import { readSmallFile, unreadable } from './folder.ts';
import { valueAt } from './issue.ts';
import { shown } from './literal.ts';
import type { Manifest } from './manifest.ts';
import { namePattern } from './name.ts';
import { type Path, pathText } from './place.ts';
import type { Problem } from './problem.ts';
import { problem } from './rule.ts';

/** The folder of calendars, next to the jobs; like all that begins with `_` it is no job. */
export const calendarFolder = '_calendars';

const expected = 'a calendar such as  days: { 2026-12-25: Christmas Day }';
const calendar = z.strictObject(
  {
    description: words('one line', 200).optional(),
    weekend: z.array(oneOf(weekdays), 'a list such as [saturday, sunday]').max(6, 'at most 6 days').default([]),
    days: z.record(text('a day such as 2026-12-25', /^\d{4}-\d\d-\d\d$/), words('its name as a text', 100), expected),
  },
  expected,
);

export interface Calendars {
  /** The valid ones, by name. */
  known: ReadonlyMap<string, Calendar>;
  /** Those that have a problem. */
  broken: ReadonlySet<string>;
  problems: Problem[];
}

/** Reads every calendar of a jobs folder. Never throws. @param place how problems call the jobs folder */
export async function readCalendars(root: string, place: string): Promise<Calendars> {
  const folder = join(root, calendarFolder);
  const known = new Map<string, Calendar>();
  const broken = new Set<string>();
  const problems: Problem[] = [];
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { known, broken, problems: gone ? [] : [unreadable(`${place}/${calendarFolder}`, error)] };
  }
  for (const entry of entries.filter((name) => /\.ya?ml$/i.test(name)).sort()) {
    const name = entry.replace(/\.ya?ml$/i, '');
    const read = await readCalendar(root, join(folder, entry), name, `${place}/${calendarFolder}/${entry}`);
    if ('problems' in read) {
      broken.add(name);
      problems.push(...read.problems);
    } else known.set(name, read);
  }
  return { known, broken, problems };
}

async function readCalendar(
  root: string,
  path: string,
  name: string,
  file: string,
): Promise<Calendar | { problems: Problem[] }> {
  if (!namePattern.test(name) || !file.endsWith('.yaml')) {
    const message = 'is no name of a calendar; expected one such as uk-bank-holidays.yaml';
    return { problems: [{ file, code: 'bad-name', message, hint: 'rename the file' }] };
  }
  const found = await readSmallFile(root, path, file);
  if ('code' in found) return { problems: [found] };
  const decoded = decode(found.bytes, file);
  if ('problem' in decoded) return { problems: [decoded.problem] };
  const document = readDocument(decoded.text, file);
  if (document.problems.length > 0) return { problems: document.problems };
  const parsed = calendar.safeParse(document.value);
  const problems = parsed.success
    ? wrongDays(parsed.data.days, document)
    : parsed.error.issues.map((issue) => issueText(issue, document));
  if (!parsed.success || problems.length > 0) return { problems };
  return { name, weekend: parsed.data.weekend, days: parsed.data.days };
}

function wrongDays(days: Record<string, string>, document: Document): Problem[] {
  return Object.keys(days)
    .filter((date) => parseLocalTime(date)?.kind !== 'day')
    .map((date) => {
      const message = `${shown(date)} is no day of any year; expected one such as 2026-12-25`;
      return problem(document, ['days', date], 'invalid-value', message, 'correct the date');
    });
}

function issueText(issue: z.core.$ZodIssue, document: Document): Problem {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const near = nearest(key, ['description', 'weekend', 'days']);
    const hint = near ? `did you mean ${near}?` : 'known here: description, weekend, days';
    return problem(document, [...path, key], 'unknown-key', `${shown(key)} is no field of a calendar`, hint);
  }
  const value = valueAt(document.value, path);
  const wanted = issue.code === 'invalid_key' ? issue.issues[0]?.message : issue.message;
  const subject = issue.code === 'invalid_key' ? shown(String(path.at(-1))) : scalarText(value);
  const message =
    value === undefined ? `is missing; expected ${wanted}` : `${subject} does not fit; expected ${wanted}`;
  return { ...problem(document, path, 'invalid-value', message, `write ${expected}`), path: pathText(path) };
}

function scalarText(value: unknown): string {
  return typeof value === 'object' ? 'this' : shown(String(value));
}

/** What closes a job; problems for calendars that are not there or not valid. */
export function closedOf(
  { calendar: named, blackout }: Pick<Manifest, 'calendar' | 'blackout'>,
  { known, broken }: Calendars,
  document: Document,
): { closed: Closed; problems: Problem[] } {
  const problems: Problem[] = [];
  const names = named === undefined ? [] : [named].flat();
  const calendars = names.flatMap((name, index) => {
    const found = known.get(name);
    if (found) return [found];
    const path = Array.isArray(named) ? ['calendar', index] : ['calendar'];
    const near = nearest(name, [...known.keys(), ...broken]);
    problems.push(
      broken.has(name)
        ? problem(document, path, 'broken-calendar', `${shown(name)} has problems of its own`, 'fix that file first')
        : problem(
            document,
            path,
            'unknown-calendar',
            `${shown(name)} is no calendar; expected the name of a file in ${calendarFolder}`,
            near
              ? `did you mean ${near}?`
              : `add ${calendarFolder}/${name}.yaml with  days: { 2026-12-25: Christmas Day }`,
          ),
    );
    return [];
  });
  return { closed: { calendars, blackouts: blackout }, problems };
}
