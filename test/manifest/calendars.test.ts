import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkJobs } from '../../shared/manifest/check.ts';
import { echo, jobsFolder } from '../support/cli/jobs.ts';
import { codes } from '../support/cli/manifest.ts';

const here = jobsFolder();
const daily = 'schedule: { cron: "0 7 * * *", timeZone: Europe/London }\n';

async function calendar(name: string, text: string | Buffer): Promise<void> {
  await mkdir(join(here.jobs, '_calendars'), { recursive: true });
  await writeFile(join(here.jobs, '_calendars', name), text);
}

describe('calendars', () => {
  it('are read from _calendars, and are part of the jobs that name them', async () => {
    await calendar('uk.yaml', 'weekend: [saturday, sunday]\ndays:\n  2026-12-25: Christmas Day\n');
    await here.write(
      'score',
      `${echo}${daily}calendar: uk\nblackout: [{ from: 2026-12-31, to: 2027-01-01, why: Freeze }]\n`,
    );
    await here.write('pull', `${echo}${daily}calendar: [uk]\n`);
    const { jobs, problems } = await checkJobs(here.jobs);
    expect(problems).toEqual([]);
    const uk = { name: 'uk', weekend: ['saturday', 'sunday'], days: { '2026-12-25': 'Christmas Day' } };
    expect(jobs.map(({ closed }) => closed)).toEqual([
      { calendars: [uk], blackouts: [] },
      { calendars: [uk], blackouts: [{ from: '2026-12-31', to: '2027-01-01', why: 'Freeze' }] },
    ]);
  });

  it('that are not there or not valid are problems of the jobs that name them, never of the others', async () => {
    await calendar('uk.yaml', 'days: { 2026-02-30: No day }\n');
    await calendar('de.yaml', 'days: { 2026-12-25: Weihnachten }\n');
    await here.write('a-typo', `${echo}calendar: ed\n`);
    await here.write('b-broken', `${echo}calendar: [de, uk]\n`);
    await here.write('c-fine', `${echo}calendar: de\n`);
    await here.write('d-none', echo);
    const { jobs, problems } = await checkJobs(here.jobs);
    expect(jobs.map(({ name }) => name)).toEqual(['c-fine', 'd-none']);
    expect(problems.map(({ file, code, hint }) => [file.slice(here.jobs.length + 1), code, hint])).toEqual([
      ['_calendars/uk.yaml', 'invalid-value', 'correct the date'],
      ['a-typo/job.yaml', 'unknown-calendar', 'did you mean de?'],
      ['b-broken/job.yaml', 'broken-calendar', 'fix that file first'],
    ]);
  });

  it.each([
    ['a key of no calendar', 'uk.yaml', 'day: {}\ndays: {}\n', 'unknown-key'],
    ['no days', 'uk.yaml', 'weekend: [saturday]\n', 'invalid-value'],
    ['a weekday that is none', 'uk.yaml', 'weekend: [samstag]\ndays: {}\n', 'invalid-value'],
    ['a key that is no day', 'uk.yaml', 'days: { Christmas: 2026-12-25 }\n', 'invalid-value'],
    ['a list', 'uk.yaml', '- 2026-12-25\n', 'not-a-mapping'],
    ['an anchor', 'uk.yaml', 'days: &x { 2026-12-25: a }\n', 'anchor'],
    ['UTF-16', 'uk.yaml', Buffer.from('\ufeffdays: {}', 'utf16le'), 'not-utf8'],
    ['another ending', 'uk.yml', 'days: {}\n', 'bad-name'],
    ['a name with blanks', 'Bank Holidays.yaml', 'days: {}\n', 'bad-name'],
  ])('are refused with a place: %s', async (_, file, text, code) => {
    await calendar(file, text);
    await here.write('score');
    expect(await here.found()).toEqual([`_calendars/${file} ${code}`]);
  });

  it('that lead outside are not read', async () => {
    await calendar('de.yaml', 'days: {}\n');
    await writeFile(join(here.root, 'uk.yaml'), 'days: {}\n');
    await symlink(join(here.root, 'uk.yaml'), join(here.jobs, '_calendars', 'uk.yaml'));
    await here.write('score');
    expect(await here.found()).toEqual(['_calendars/uk.yaml outside']);
  });
});

describe('schedules with arguments', () => {
  const base = `description: Scores yesterday's prospects.
owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
run: { command: [python, main.py] }
`;
  const list = (...schedules: string[]) => `${base}schedule:\n${schedules.map((one) => `  - { ${one} }\n`).join('')}`;

  it('may not meet, at any time of any year, when the arguments differ', () => {
    expect(codes(list('cron: "0 7 * * *", args: [a]', 'cron: "0 7 1 * *", args: [b]'))).toEqual(['schedules-meet']);
    expect(codes(list('cron: "0 7 29 2 *", args: [a]', 'cron: "0 7 * * 0"'))).toEqual(['schedules-meet']);
    const [berlin, london] = ['timeZone: Europe/Berlin', 'timeZone: Europe/London'];
    expect(codes(list(`cron: "0 7 * * *", ${berlin}, args: [a]`, `cron: "0 6 * * *", ${london}`))).toEqual([
      'schedules-meet',
    ]);
    // At the end of the hour that is skipped, once a year.
    expect(codes(list(`cron: "30 2 * * *", ${berlin}, args: [a]`, `cron: "0 3 * * *", ${berlin}`))).toEqual([
      'schedules-meet',
    ]);
  });

  it('may be as they like when they never meet, or say the same', () => {
    expect(codes(list('cron: "0 7 * * *", args: [a]', 'cron: "1 7 * * *", args: [b]'))).toEqual([]);
    expect(codes(list('cron: "* * * * *", args: [a]', 'cron: "0 7 * * *", args: [a]'))).toEqual([]);
    expect(codes(list('cron: "0 7 31 * *", args: [a]', 'cron: "0 7 30 2-3/2 *", args: [b]'))).not.toContain(
      'schedules-meet',
    );
  });
});

describe('blackout windows', () => {
  const codesOf = (window: string) =>
    codes(
      `description: Scores yesterday's prospects.\nowner: { email: d@contoso.com, department: S }\ntier: standard\ndata: internal\n${echo}blackout: [${window}]\n`,
    );
  it.each([
    ['{ from: 2026-12-24, to: 2026-12-24, why: A day }', []],
    ['{ from: "2026-12-24T18:00", to: 2026-12-24, why: An evening }', []],
    ['{ from: 2026-12-25, to: 2026-12-24, why: Backwards }', ['contradiction']],
    ['{ from: "2026-12-24T18:00Z", to: 2026-12-25, why: An offset }', ['window']],
    ['{ from: 24.12.2026, to: 2026-12-25, why: Another order }', ['window']],
    ['{ from: 2026-12-24, to: 2026-12-25 }', ['missing-field']],
  ])('%s', (window, expected) => {
    expect(codesOf(window)).toEqual(expected);
  });
});
