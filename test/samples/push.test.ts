import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPython, workDirectory } from '../support/shim/python.ts';

const friday = { JOB_SCHEDULED_FOR: '2026-11-20T07:20:00Z' };
const header = 'id,contacted_on,score,band,contact,job,age,balance,previous,poutcome,reasons';

/** Prints the list as a CSV reader sees it. */
const reader = `
import csv, json, sys
with open('outbound.csv', encoding='utf-8-sig', newline='') as file:
    json.dump(list(csv.DictReader(file, strict=True)), sys.stdout)
`;

async function push(rows: string[], args: string[] = []) {
  const folder = await workDirectory('push-outbound');
  await writeFile(join(folder, 'scored.csv'), [header, ...rows, ''].join('\n'));
  const ended = await runPython(folder, ['push_outbound.py', ...args], friday);
  return { folder, ...ended };
}

async function listOf(rows: string[], args: string[] = []): Promise<Record<string, string>[]> {
  const { folder, stderr } = await push(rows, args);
  expect(stderr).toBe('');
  const read = await runPython(folder, ['-c', reader]);
  expect(read.stderr).toBe('');
  return JSON.parse(read.stdout);
}

function scored(id: string, score = 50, job = 'services', reasons = 'mobile number +10'): string {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return `${quote(id)},2026-11-20,${score},warm,cellular,${quote(job)},40,-12,1,other,${quote(reasons)}`;
}

test('the list has a rank and what the e-mail tool needs of each prospect', async () => {
  expect(await listOf([scored('0017', 40), scored('18', 90)])).toEqual([
    expect.objectContaining({ rank: '1', id: '18', score: '90', contacted_on: '2026-11-20', balance: '-12' }),
    expect.objectContaining({ rank: '2', id: '0017', score: '40', reasons: 'mobile number +10' }),
  ]);
});

test.each([
  '=1+1',
  '+44 20 7946',
  '-2+3',
  '@SUM(A1)',
  ' =HYPERLINK("http://x","y")',
])('the text %s can never become a formula', async (text) => {
  expect((await listOf([scored('1', 50, text)]))[0]?.job).toBe(`'${text}`);
});

test('quotes, commas, emoji and line breaks arrive as written', async () => {
  const [row] = await listOf([scored('1', 50, 'R&D, "x" 😀', 'c\nd')]);
  expect(row).toMatchObject({ job: 'R&D, "x" 😀', reasons: 'c\nd' });
});

test('the best 50 are taken, or as many as a person asks for, even from an unsorted file', async () => {
  const rows = Array.from({ length: 60 }, (_, at) => scored(String(at + 1), at));
  const fifty = await listOf(rows);
  expect(fifty).toHaveLength(50);
  expect([fifty[0]?.score, fifty[49]?.score]).toEqual(['59', '10']);
  expect(await listOf(rows, ['--limit', '3'])).toHaveLength(3);
});

test('the same prospects give the same bytes, with a byte order mark, so a retry changes nothing', async () => {
  const [one, two] = [await push([scored('1'), scored('2')]), await push([scored('1'), scored('2')])];
  const [first, second] = await Promise.all([one, two].map(({ folder }) => readFile(join(folder, 'outbound.csv'))));
  expect(first?.subarray(0, 3).toString('hex')).toBe('efbbbf');
  expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
});

test('no one to contact gives a list with a header only', async () => {
  const { folder } = await push([]);
  expect((await readFile(join(folder, 'outbound.csv'), 'utf8')).trim().split('\n')).toHaveLength(1);
});

test.each(['0', '-5', 'many'])('a limit of %s is refused as a wrong argument', async (limit) => {
  const { code, stderr } = await push([scored('1')], [`--limit=${limit}`]);
  expect(code).toBe(2);
  expect(stderr).toContain('--limit');
  expect(stderr).toContain(limit);
});

test("a missing file, yesterday's file and a score of 150 are refused with what to do", async () => {
  const folder = await workDirectory('push-outbound');
  const missing = await runPython(folder, ['push_outbound.py'], friday);
  expect(missing.code).toBe(3);
  expect(missing.stderr).toContain('scored.csv: no such file. Run score-prospects for 2026-11-20 first');
  const stale = await push([scored('1').replace('2026-11-20', '2026-11-19')]);
  expect(stale.code).toBe(3);
  expect(stale.stderr).toContain('See why score-prospects has not run for 2026-11-20');
  const wrong = await push([scored('1'), scored('2', 150)]);
  expect(wrong.code).toBe(3);
  expect(wrong.stderr).toContain('scored.csv, line 3: score is "150", expected a whole number from 0 to 100');
});
