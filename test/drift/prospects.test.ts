import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { detect, type SeriesLine } from '../../shared/drift/detect.ts';

/**
 * Real data: 561 days of telephone contacts of a bank, May 2008 to November 2010, by day (S. Moro, P. Cortez, P. Rita,
 * UCI "Bank Marketing", CC BY 4.0): how many, what share subscribed, medians, and mixes of categories.
 */
const fixtures = join(import.meta.dirname, '..', 'fixtures', 'drift');
const days: string[] = JSON.parse(readFileSync(join(fixtures, 'prospects-days.json'), 'utf8'));
const lines: SeriesLine[] = readFileSync(join(fixtures, 'prospects.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

/** The days on which changes of a metric begin, as they are found without a word of configuration. */
const known = new Map<string, string[]>();
function beginnings(id: string): string[] {
  const found = known.get(id) ?? begun(id);
  known.set(id, found);
  return found;
}

function begun(id: string): string[] {
  const line = lines.find((one) => one.id === id);
  if (!line) throw new Error(`no metric ${id}`);
  return detect(line).flatMap(({ cp }) => (cp === undefined ? [] : [days[cp] ?? '']));
}

const within = (found: string[], from: string, to: string) => found.some((day) => day >= from && day <= to);

test('the turn of autumn 2008 is found in the calls, in who subscribes, and in who is called', () => {
  for (const metric of ['contacts', 'subscribed', 'mix_job', 'mix_contact']) {
    expect(within(beginnings(metric), '2008-10-10', '2008-11-25'), metric).toBe(true);
  }
});

test('the share of subscribers moves again until spring 2009, each time seen against the newest level', () => {
  const found = beginnings('subscribed').filter((day) => day >= '2008-09-01' && day <= '2009-05-01');
  expect(found.length).toBeGreaterThanOrEqual(3);
});

test('two and a half years of ten metrics give a handful of findings each, not a flood', () => {
  for (const { id } of lines) expect(beginnings(id).length, id).toBeLessThanOrEqual(10);
});

test('the page that explains them lists these findings and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/drift-contacts.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (\d{4}-\d\d-\d\d) \| \S+ \| (\w+) \| .+ \| ([A-L]) \|$/gm)];
  expect(rows.every(([, , , why]) => page.includes(`| ${why} | `))).toBe(true);
  for (const { id } of lines) {
    const listed = rows.flatMap(([, day, metric]) => (metric === id ? [day] : []));
    expect(listed, id).toEqual(beginnings(id));
  }
});
