import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPython, workDirectory } from '../support/shim/python.ts';

const friday = { JOB_SCHEDULED_FOR: '2026-11-20T07:10:00Z' };

const prospect = {
  id: '1',
  contacted_on: '2026-11-20',
  age: '40',
  job: 'services',
  balance: '600',
  housing: 'no',
  loan: 'no',
  default: 'no',
  contact: 'cellular',
  duration: '100',
  campaign: '1',
  pdays: '-1',
  previous: '0',
  poutcome: 'unknown',
  y: 'no',
};

/** Scores these prospects, each given by what differs from an ordinary one. */
async function score(people: Partial<typeof prospect>[]) {
  const rows = people.map((person) => Object.values({ ...prospect, ...person }).join(','));
  return scoreText([Object.keys(prospect).join(','), ...rows, ''].join('\n'));
}

async function scoreText(text: string | null) {
  const folder = await workDirectory('score-prospects');
  if (text !== null) await writeFile(join(folder, 'prospects.csv'), text);
  const ended = await runPython(folder, ['score_prospects.py'], friday);
  const scored = ended.code === 0 ? await readFile(join(folder, 'scored.csv'), 'utf8') : '';
  const found = scored.trimEnd().split('\n').slice(1);
  return { ...ended, scored: found.map((line) => line.split(',')) };
}

test('the score is the sum of the points that the reasons name', async () => {
  const { scored } = await score([{ poutcome: 'success', pdays: '90', previous: '3', loan: 'yes' }]);
  const [row = []] = scored;
  const points = [...(row[10] ?? '').matchAll(/[+-]\d+/g)].map(Number);
  expect(row[10]).toContain('subscribed last time +35; spoke within 90 days +12');
  expect(Number(row[2])).toBe(20 + points.reduce((sum, value) => sum + value, 0));
  expect(row[3]).toBe('hot');
});

test('the best come first, equals in the order of the CRM, and the score stays within 0 and 100', async () => {
  const best = { poutcome: 'success', pdays: '30', previous: '9', balance: '9000' };
  const worst = { balance: '-5', housing: 'yes', loan: 'yes', default: 'yes', contact: 'unknown', campaign: '40' };
  const { scored } = await score([{ id: '7' }, { id: '3', ...worst }, { id: '5' }, { id: '9', ...best }]);
  expect(scored.map(([id]) => id)).toEqual(['9', '7', '5', '3']);
  expect([scored[0]?.[2], scored[3]?.[2]]).toEqual(['100', '0']);
});

test('how long the call took and how it ended, known only afterwards, do not move the score', async () => {
  const { scored } = await score([
    { duration: '5', y: 'no' },
    { duration: '3000', y: 'yes' },
  ]);
  expect(scored[0]?.slice(2)).toEqual(scored[1]?.slice(2));
});

test('metrics report the mix by band and where the high scores are', async () => {
  const high = { poutcome: 'success', y: 'yes' };
  const { metrics } = await score([high, { ...high, y: 'no' }, { contact: 'unknown' }, { contact: 'unknown' }]);
  expect(metrics).toEqual({
    rows_scored: 4,
    mean_score: 57.5,
    share_high: 0.5,
    by_channel: { cellular: 2, unknown: 0 },
    by_band: { hot: 2, cool: 2 },
    base_rate: 0.25,
    precision_high: 0.5,
  });
});

test('without the outcome of the calls nothing is claimed about how good the score was', async () => {
  const { code, stdout, metrics } = await score([{ y: '' }, { y: 'yes' }]);
  expect(code).toBe(0);
  expect(stdout).not.toContain('Look-back');
  expect(metrics).not.toHaveProperty('precision_high');
  expect(metrics).not.toHaveProperty('base_rate');
});

test("yesterday's file is refused, and the message names the job to run", async () => {
  const { code, stderr, metrics } = await score([{ contacted_on: '2026-11-19' }]);
  expect(code).toBe(3);
  expect(stderr).toContain('prospects.csv, line 2: contacted_on is "2026-11-19", expected 2026-11-20');
  expect(stderr).toContain('See why pull-prospects has not run for 2026-11-20, run it, then run this job again');
  expect(metrics).toEqual({});
});

test('one row of another day among the right ones is found', async () => {
  const { code, stderr } = await score([{}, {}, { contacted_on: '2026-11-21' }]);
  expect(code).toBe(3);
  expect(stderr).toContain('line 4');
});

test.each([
  ['a missing file', null, 'prospects.csv: no such file. Run pull-prospects for 2026-11-20 first'],
  ['an empty file', '', 'prospects.csv: the file is empty, expected a header line'],
  ['another table', 'a,b\n1,2\n', 'prospects.csv, line 1: no column id, contacted_on, job'],
])('%s is refused with what to do', async (_, text, message) => {
  const { code, stderr } = await scoreText(text);
  expect(code).toBe(3);
  expect(stderr).toContain(message);
});

test('a balance that is no number is refused with its line', async () => {
  const { code, stderr } = await score([{}, { balance: '1.5e3' }]);
  expect(code).toBe(3);
  expect(stderr).toContain('prospects.csv, line 3: balance is "1.5e3", expected a whole number');
});
