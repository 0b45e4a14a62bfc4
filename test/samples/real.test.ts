import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPython, workDirectory } from '../support/shim/python.ts';

// The UCI "Bank Marketing" contacts with a date column, which are too large for this repository.
const prospects = resolve(
  process.env.LAMPLIGHTER_PROSPECTS ?? resolve(import.meta.dirname, '../../../shared/data/prospects.csv'),
);
const there = existsSync(prospects);
const why = there ? 'of a real export' : 'of a real export (skipped: set LAMPLIGHTER_PROSPECTS to the file)';

/** Pulls every day between the first and the last, reading the dates in a way of its own. */
const everyDay = `
import csv, json, sys
from collections import Counter
from datetime import date
from crm import prospects_on
with open(sys.argv[1], newline='') as file:
    expected = Counter(row['contacted_on'] for row in csv.DictReader(file))
data = open(sys.argv[1], 'rb').read()
wrong, ids = [], []
for day, count in expected.items():
    rows = prospects_on(data, 'prospects.csv', date.fromisoformat(day))[1]
    ids += [row['id'] for row in rows]
    if len(rows) != count or any(row['contacted_on'] != day for row in rows):
        wrong.append(day)
json.dump({'days': len(expected), 'rows': len(ids), 'people': len(set(ids)), 'wrong': wrong}, sys.stdout)
`;

describe.skipIf(!there)(why, () => {
  test('every contact is pulled on its day, once: 45,211 on 561 days', async () => {
    const folder = await workDirectory('pull-prospects');
    const { stdout, stderr } = await runPython(folder, ['-c', everyDay, prospects]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ days: 561, rows: 45_211, people: 45_211, wrong: [] });
  });

  test('the ten contacts of the last day are pulled with their mix', async () => {
    const folder = await workDirectory('pull-prospects');
    const env = { CRM_SOURCE: prospects, JOB_SCHEDULED_FOR: '2010-11-17T07:00:00Z' };
    const { code, stdout, metrics } = await runPython(folder, ['pull_prospects.py'], env);
    expect(code).toBe(0);
    expect(stdout).toContain('Pulled 10 prospects for Wednesday 17 November 2010 from prospects.csv');
    expect(metrics).toMatchObject({ rows: 10, by_channel: { cellular: 9, telephone: 1 }, mean_age: 49.6 });
  });

  test('a day on which no one was contacted is a success with the period the export covers', async () => {
    const folder = await workDirectory('pull-prospects');
    const args = ['pull_prospects.py', '--source', prospects, '--date', '2008-05-10'];
    const { code, stdout, metrics } = await runPython(folder, args);
    expect(code).toBe(0);
    expect(stdout).toContain('covers 2008-05-05 to 2010-11-17 and has no one for 2008-05-10');
    expect(metrics).toEqual({ rows: 0 });
  });
});
