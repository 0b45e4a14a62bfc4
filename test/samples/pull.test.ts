import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPython, workDirectory } from '../support/shim/python.ts';

const friday = { JOB_SCHEDULED_FOR: '2026-11-20T07:00:00Z' };
const header =
  'id,contacted_on,age,job,marital,education,default,balance,housing,loan,contact,campaign,pdays,previous,poutcome';
const anna = '1,2026-11-20,58,management,married,tertiary,no,2143,yes,no,cellular,1,-1,0,unknown';
const bert = '2,2026-11-19,44,technician,single,secondary,no,29,yes,no,telephone,1,120,1,failure';

async function lines(folder: string, file: string): Promise<string[]> {
  return (await readFile(join(folder, file), 'utf8')).trimEnd().split('\n');
}

/** Runs pull-prospects over an export with this text. */
async function pull(text: string | Buffer, env: Record<string, string> = friday) {
  const folder = await workDirectory('pull-prospects');
  await writeFile(join(folder, 'export.csv'), text);
  return { folder, ...(await runPython(folder, ['pull_prospects.py', '--source', 'export.csv'], env)) };
}

test('every day of a month has 15 to 30 prospects in the sample, each dated that day', async () => {
  const folder = await workDirectory('pull-prospects');
  for (let day = 1; day <= 28; day += 3) {
    const date = `2031-02-${String(day).padStart(2, '0')}`;
    const { code, metrics } = await runPython(folder, ['pull_prospects.py', '--date', date]);
    expect(code).toBe(0);
    expect(metrics.rows).toBeGreaterThanOrEqual(15);
    expect(metrics.rows).toBeLessThanOrEqual(30);
    const dates = (await lines(folder, 'prospects.csv')).slice(1).map((line) => line.split(',')[1]);
    expect(new Set(dates)).toEqual(new Set([date]));
  }
});

test('the sample CRM is exactly what make_crm.py writes', async () => {
  const folder = await workDirectory('pull-prospects');
  const before = await readFile(join(folder, 'crm.csv'), 'utf8');
  await rm(join(folder, 'crm.csv'));
  expect(await runPython(folder, ['make_crm.py'])).toMatchObject({ code: 0 });
  expect(await readFile(join(folder, 'crm.csv'), 'utf8')).toBe(before);
});

test('of a real export exactly the rows of the day are taken, untouched', async () => {
  const pulled = await pull(`${header}\n${bert}\n${anna}\n`);
  expect(await lines(pulled.folder, 'prospects.csv')).toEqual([header, anna]);
  expect(pulled.metrics).toEqual({
    rows: 1,
    by_channel: { cellular: 1 },
    by_job: { management: 1 },
    mean_balance: 2143,
    mean_age: 58,
    share_contacted_before: 0,
  });
});

test('the day is the local one in London, which at 23:30 UTC in July is tomorrow', async () => {
  const { stdout } = await pull(`${header}\n${anna.replace('2026-11-20', '2026-07-02')}\n`, {
    JOB_SCHEDULED_FOR: '2026-07-01T23:30:00.000Z',
  });
  expect(stdout).toContain('Pulled 1 prospect for Thursday 2 July 2026');
});

test('without time zone data the UTC date is used, and said so', async () => {
  const folder = await workDirectory('pull-prospects');
  // -S leaves out the tzdata package, the variable the system's own data.
  const args = ['-S', 'pull_prospects.py'];
  const { code, stdout, stderr } = await runPython(folder, args, { ...friday, PYTHONTZPATH: '' });
  expect(code).toBe(0);
  expect(stderr).toContain('the UTC date 2026-11-20 is used');
  expect(stdout).toContain('Friday 20 November 2026');
});

test('an export as Excel writes it, with a byte order mark, CRLF and quoted cells over two lines, is understood', async () => {
  const quoted = anna.replace('management', '"sales,\r\n2026-11-20"');
  const { code, metrics } = await pull(`\uFEFF${header}\r\n${bert}\r\n${quoted}\r\n${anna}\r\n`);
  expect(code).toBe(0);
  expect(metrics).toMatchObject({ rows: 2, by_job: { management: 1, 'sales,\r\n2026-11-20': 1 } });
  const plain = await pull(`\uFEFF${header}\r\n${bert}\r\n${anna}`);
  expect(plain).toMatchObject({ code: 0, metrics: { rows: 1 } });
});

test('the date in another column does not make a row one of the day', async () => {
  const { metrics } = await pull(`${header}\n${bert.replace('technician', '2026-11-20')}\n${anna}\n`);
  expect(metrics).toMatchObject({ rows: 1, by_job: { management: 1 } });
});

const later = `${header}\n${bert}\n${bert}\n`;
test.each([
  ['an empty file', '', /export\.csv: the file is empty/],
  ['a header without rows', `${header}\n`, /export\.csv: a header but no rows/],
  ['a missing column', `${header.replace(',contact,', ',channel,')}\n${anna}\n`, /line 1: no column contact; found id/],
  ['semicolons', `${header}\n${anna}\n`.replaceAll(',', ';'), /separated by commas, not semicolons/],
  ['a column twice', `${header},age\n${anna},3\n`, /line 1: column age is there twice/],
  [
    'a word for an age',
    `${later}${anna.replace('58', 'old')}\n`,
    /export\.csv, line 4: age is "old", expected a whole/,
  ],
  ['an age of 580', `${later}${anna.replace('58', '580')}\n`, /line 4: age is "580", expected .* from 0 to 130/],
  ['an empty channel', `${later}${anna.replace('cellular', '')}\n`, /line 4: contact is empty/],
  ['a row cut short', `${later}${anna.slice(0, 40)}`, /line 4: \d+ cells, expected 15 as in the header/],
  [
    'dates as 20/11/2026',
    `${header}\n${anna.replace('2026-11-20', '20/11/2026')}\n`,
    /line 2.*"20\/11\/2026" is not a/,
  ],
  ['a date with a time', `${header}\n${anna.replace('11-20', '11-20 07:00')}\n`, /line 2: .*expected a date without/],
  ['an open quote', `${later}"${anna}\n`, /export\.csv, line 4: not CSV/],
  [
    'Latin-1 text',
    Buffer.from(`${later}${anna.replace('management', 'café')}\n`, 'latin1'),
    /line 4: byte 0xe9 is not/,
  ],
])('%s is refused with the place and the expectation', async (_, text, message) => {
  const { code, stderr, folder, metrics } = await pull(text);
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(code).toBe(3);
  expect(metrics).toEqual({});
  expect(await readdir(folder)).not.toContain('prospects.csv');
});

test('a source that is missing, and one that cannot be read, are two different errors', async () => {
  const folder = await workDirectory('pull-prospects');
  const missing = await runPython(folder, ['pull_prospects.py'], { ...friday, CRM_SOURCE: 'gone.csv' });
  expect(missing).toMatchObject({ code: 3 });
  expect(missing.stderr).toContain('gone.csv: no such file. Give the CRM export with --source FILE or CRM_SOURCE');
  const unreadable = await runPython(folder, ['pull_prospects.py', '--source', '.'], friday);
  expect(unreadable).toMatchObject({ code: 3 });
  expect(unreadable.stderr).toContain('.: cannot be read (Is a directory)');
});

test.each(['yesterday', '2026-11-20T07:00:00', '2026-13-01T07:00:00Z'])('a slot of "%s" is refused', async (slot) => {
  const { code, stderr } = await pull(`${header}\n${anna}\n`, { JOB_SCHEDULED_FOR: slot });
  expect(code).toBe(3);
  expect(stderr).toContain(`JOB_SCHEDULED_FOR is "${slot}", expected an instant such as 2026-11-20T07:00:00Z`);
});
