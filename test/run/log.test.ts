import { expect, test } from 'vitest';
import { readLog, readText } from '../../shared/run/log.ts';
import { numbers } from '../support/pipeline/random.ts';

const at = '2026-11-20T07:00:00.123Z';
const log = Buffer.concat([
  Buffer.from(`${at} first\n${at}+half a line\n${at} , and its end\n${at}#said by the shim\n${at} \n`),
  Buffer.from(`${at} \xff\xfe not text\n${at}+open\n`, 'latin1'),
]);
const people = Buffer.concat([
  Buffer.from('first\nhalf a line, and its end\n[lamplighter] said by the shim\n\n'),
  Buffer.from('\xff\xfe not text\nopen', 'latin1'),
]);

test('the text of a log is the same however its bytes come in pieces, and bytes that are no text survive', () => {
  const random = numbers(7);
  for (let round = 0; round < 50; round += 1) {
    const texts: Buffer[] = [];
    let [rest, fresh, from] = [Buffer.alloc(0), true, 0];
    while (from < log.length) {
      const size = 1 + Math.floor(random() * 40);
      const read = readText(Buffer.concat([rest, log.subarray(from, from + size)]), fresh);
      texts.push(Buffer.from(read.text));
      [rest, fresh, from] = [Buffer.from(read.rest), read.fresh, from + size];
    }
    expect(Buffer.concat(texts).equals(people)).toBe(true);
    expect([rest.length, fresh]).toEqual([0, false]);
  }
});

test('records have their time, their writer and whether they go on; what is not whole yet is left', () => {
  const { records, rest } = readLog(Buffer.concat([log, Buffer.from(at)]));
  expect(rest.toString()).toBe(at);
  expect(records.map(({ from, continues }) => `${from}${continues ? '+' : ''}`)).toEqual([
    'job',
    'job+',
    'job',
    'lamplighter',
    'job',
    'job',
    'job+',
  ]);
  expect(new Set(records.map((record) => record.at))).toEqual(new Set([Date.parse(at)]));
});
