import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPython, workDirectory } from '../support/shim/python.ts';

const friday = { JOB_SCHEDULED_FOR: '2026-11-20T07:20:00Z' };
const header = 'id,contacted_on,score,band,contact,job,age,balance,previous,poutcome,reasons';

/** Prints the spreadsheet as JSON; a part that is not well-formed XML ends it with an error. */
const reader = `
import json, sys, zipfile
from xml.etree import ElementTree
M = '{http://schemas.openxmlformats.org/spreadsheetml/2006/main}'
book = zipfile.ZipFile('outbound.xlsx')
assert book.testzip() is None
parts = {name: ElementTree.fromstring(book.read(name)) for name in book.namelist()}
sheet, styles = parts['xl/worksheets/sheet1.xml'], parts['xl/styles.xml']
formats = styles.find(M + 'cellXfs')
def cell(c):
    style = formats[int(c.get('s', 0))]
    text = ''.join(t.text or '' for t in c.iter(M + 't')) if c.get('t') == 'inlineStr' else c.find(M + 'v').text
    return {'text': text, 'type': c.get('t', 'n'), 'font': style.get('fontId'), 'format': style.get('numFmtId'),
            'quoted': style.get('quotePrefix') == '1', 'formula': c.find(M + 'f') is not None}
pane = sheet.find('.//' + M + 'pane')
json.dump({
    'rows': [{c.get('r').rstrip('0123456789'): cell(c) for c in row} for row in sheet.iter(M + 'row')],
    'frozen': [pane.get('ySplit'), pane.get('state'), pane.get('topLeftCell')],
    'filter': sheet.find(M + 'autoFilter').get('ref'),
    'widths': len(sheet.find(M + 'cols')),
    'format': styles.find('.//' + M + 'numFmt').attrib,
    'title': parts['xl/workbook.xml'].find('.//' + M + 'sheet').get('name'),
    'order': [child.tag.removeprefix(M) for child in sheet],
}, sys.stdout)
`;

interface Cell {
  text: string;
  type: 'n' | 'inlineStr';
  font: string;
  format: string;
  quoted: boolean;
  formula: boolean;
}
interface Sheet {
  rows: Record<string, Cell>[];
  frozen: string[];
  filter: string;
  widths: number;
  format: Record<string, string>;
  title: string;
  order: string[];
}

async function push(rows: string[], args: string[] = []) {
  const folder = await workDirectory('push-outbound');
  await writeFile(join(folder, 'scored.csv'), [header, ...rows, ''].join('\n'));
  const ended = await runPython(folder, ['push_outbound.py', ...args], friday);
  return { folder, ...ended };
}

async function sheetOf(rows: string[], args: string[] = []): Promise<Sheet> {
  const { folder, stderr } = await push(rows, args);
  expect(stderr).toBe('');
  const read = await runPython(folder, ['-c', reader]);
  expect(read.stderr).toBe('');
  return JSON.parse(read.stdout) as Sheet;
}

function scored(id: string, score = 50, job = 'services', reasons = 'mobile number +10'): string {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return `${quote(id)},2026-11-20,${score},warm,cellular,${quote(job)},40,-12,1,other,${quote(reasons)}`;
}

test('the spreadsheet has a bold frozen header with a filter, numbers as numbers and dates as dates', async () => {
  const sheet = await sheetOf([scored('17')]);
  const [head = {}, row = {}] = sheet.rows;
  expect(Object.values(head).map((cell) => cell.text)).toEqual(
    'Rank,Prospect,Contact on,Score,Band,Channel,Job,Age,Balance,Contacts before,Last outcome,Why'.split(','),
  );
  expect(new Set(Object.values(head).map((cell) => cell.font))).toEqual(new Set(['1']));
  expect(sheet).toMatchObject({ frozen: ['1', 'frozen', 'A2'], filter: 'A1:L2', title: 'Outbound 2026-11-20' });
  expect(sheet.widths).toBe(12);
  expect(row).toMatchObject({
    A: { text: '1', type: 'n' },
    B: { text: '17', type: 'n' },
    D: { text: '50', type: 'n' },
  });
  expect(row).toMatchObject({
    I: { text: '-12', type: 'n' },
    G: { text: 'services', type: 'inlineStr', quoted: false },
  });
  // 46,346 days after 1899-12-30 is 2026-11-20, as any spreadsheet program shows it.
  expect(row.C).toMatchObject({ text: '46346', type: 'n', format: sheet.format.numFmtId });
  expect(sheet.format.formatCode).toBe('yyyy\\-mm\\-dd');
});

test('the parts of the sheet come in the order that Excel insists on', async () => {
  const { order } = await sheetOf([scored('1')]);
  expect(order).toEqual(['dimension', 'sheetViews', 'sheetFormatPr', 'cols', 'sheetData', 'autoFilter']);
});

test.each([
  '=1+1',
  '+44 20 7946',
  '-2+3',
  '@SUM(A1)',
  ' =HYPERLINK("http://x","y")',
])('the text %s stays a text and can never become a formula', async (text) => {
  const { rows } = await sheetOf([scored('1', 50, text)]);
  expect(rows[1]?.G).toMatchObject({ text, type: 'inlineStr', quoted: true, formula: false });
});

test('markup, emoji and line breaks arrive as written, control characters are dropped', async () => {
  const { rows } = await sheetOf([scored('1', 50, 'R&D <b>"x"</b> 😀', 'a\u0007b\u001b[0m\u000bc\r\nd')]);
  expect(rows[1]?.G?.text).toBe('R&D <b>"x"</b> 😀');
  expect(rows[1]?.L?.text).toBe('ab[0mc\nd');
});

test('what looks like an escape of the format itself is escaped, so that _x0041_ is not shown as A', async () => {
  const { rows } = await sheetOf([scored('1', 50, '_x0041_')]);
  expect(rows[1]?.G?.text).toBe('_x005F_x0041_');
});

test('ids that a number would damage stay text', async () => {
  const { rows } = await sheetOf([scored('0017'), scored('1234567890123456'), scored('A-1'), scored('42')]);
  expect(rows.slice(1).map((row) => [row.B?.text, row.B?.type])).toEqual([
    ['0017', 'inlineStr'],
    ['1234567890123456', 'inlineStr'],
    ['A-1', 'inlineStr'],
    ['42', 'n'],
  ]);
});

test('the best 50 are taken, or as many as a person asks for, even from an unsorted file', async () => {
  const rows = Array.from({ length: 60 }, (_, at) => scored(String(at + 1), at));
  const { rows: fifty } = await sheetOf(rows);
  expect(fifty).toHaveLength(51);
  expect([fifty[1]?.D?.text, fifty[50]?.D?.text]).toEqual(['59', '10']);
  expect((await sheetOf(rows, ['--limit', '3'])).filter).toBe('A1:L4');
});

test('the same prospects give the same bytes, so a retry changes nothing', async () => {
  const [one, two] = [await push([scored('1'), scored('2')]), await push([scored('1'), scored('2')])];
  const bytes = await Promise.all([one, two].map(({ folder }) => readFile(join(folder, 'outbound.xlsx'))));
  expect(bytes[0]?.equals(bytes[1] ?? Buffer.alloc(0))).toBe(true);
});

test('nobody to contact gives a spreadsheet with headers only', async () => {
  const { rows, filter } = await sheetOf([]);
  expect([rows.length, filter]).toEqual([1, 'A1:L1']);
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
