import { expect, test } from 'vitest';
import { readLog } from '../../shared/run/log.ts';
import { readJson, readText, recordJson } from '../../shared/run/log-text.ts';
import { numbers } from '../support/pipeline/random.ts';
import { at, log } from '../support/shim/log.ts';

const people = Buffer.concat([
  Buffer.from('first\nhalf a line, and its end\n[lamplighter] said by the shim\n\n'),
  Buffer.from('\xff\xfe not text\nopen', 'latin1'),
]);
const stamped = Buffer.concat([
  Buffer.from(`${at} first\n${at} half a line, and its end\n${at} [lamplighter] said by the shim\n${at} \n`),
  Buffer.from(`${at} \xff\xfe not text\n${at} open`, 'latin1'),
]);

test.each([
  [false, people],
  [true, stamped],
])('the text of a log is the same however its bytes come in pieces, and bytes that are no text survive (times %s)', (withTimes, whole) => {
  const random = numbers(7);
  for (let round = 0; round < 50; round += 1) {
    const texts: Buffer[] = [];
    let [rest, fresh, from] = [Buffer.alloc(0), true, 0];
    while (from < log.length) {
      const size = 1 + Math.floor(random() * 40);
      const read = readText(Buffer.concat([rest, log.subarray(from, from + size)]), fresh, withTimes);
      texts.push(Buffer.from(read.text));
      [rest, fresh, from] = [Buffer.from(read.rest), read.fresh, from + size];
    }
    expect(Buffer.concat(texts).equals(whole)).toBe(true);
    expect([rest.length, fresh]).toEqual([0, false]);
  }
});

test('words of the shim inside a line have their time as well', () => {
  const text = `${at}+half\n${at}#waits\n${at} of a line\n`;
  expect(readText(Buffer.from(text), true, true).text.toString()).toBe(
    `${at} half${at} [lamplighter] waits\n${at} of a line\n`,
  );
});

test('a whole second is printed without its milliseconds', () => {
  const text = '2026-11-20T07:00:00.000Z x\n2026-11-20T07:00:00.010Z y\n';
  const short = '2026-11-20T07:00:00Z x\n2026-11-20T07:00:00.010Z y\n';
  expect(readText(Buffer.from(text), true, true).text.toString()).toBe(short);
  expect(readJson(Buffer.from(text)).text.toString()).toMatch(/^\{"at":"2026-11-20T07:00:00Z",.*\n\{.*00\.010Z"/);
});

test('a line that is no record is printed as it is, and JSON names it', () => {
  for (const odd of ['', 'x', at, `${at.slice(0, -1)}" x`, 'a line of somewhat more than 25 characters']) {
    const text = `${at} before\n${odd}\n${at} after\n`;
    expect(readText(Buffer.from(text), true, true).text.toString()).toBe(text);
    expect(readText(Buffer.from(text), true).text.toString()).toBe(`before\n${odd}\nafter\n`);
  }
  expect(() => readJson(Buffer.from('a line of somewhat more than 25 characters\n'))).toThrow(RangeError);
});

test('JSON of a whole piece is that of its records one by one, whatever bytes are in them', () => {
  const random = numbers(11);
  const pick = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)] as T;
  const pieces = [
    ...Array.from({ length: 128 }, (_, code) => Buffer.from(String.fromCharCode(code === 10 ? 32 : code))),
    ...['Zürich', '東京', '👍', '\u2028', '\u200b', '\\u0041', '"quoted"', 'x'.repeat(50)].map((text) =>
      Buffer.from(text),
    ),
  ];
  const noText = [Buffer.from([0xff]), Buffer.from([0xc3]), Buffer.from([0xed, 0xa0, 0x80])];
  for (let round = 0; round < 300; round += 1) {
    const lines = Array.from({ length: 1 + Math.floor(random() * 8) }, () => {
      const text = Array.from({ length: Math.floor(random() * 30) }, () => pick(pieces));
      if (round % 3 === 0 && random() < 0.3) text.push(pick(noText));
      const ms = pick(['000', '001', '120']);
      return Buffer.concat([Buffer.from(at.replace('123', ms) + pick([' ', '+', '#'])), ...text, Buffer.from('\n')]);
    });
    const whole = Buffer.concat(lines);
    const json = readJson(Buffer.concat([whole, Buffer.from(at)]));
    expect(json.text.toString()).toBe(readLog(whole).records.map(recordJson).join(''));
    expect(json.rest.toString()).toBe(at);
  }
});

test('a line of control characters alone, six times as long in JSON, comes whole', () => {
  const text = '\0'.repeat(100_000);
  const [line, none] = readJson(Buffer.from(`${at} ${text}\n`))
    .text.toString()
    .split('\n');
  expect(JSON.parse(line ?? '')).toMatchObject({ text });
  expect(none).toBe('');
});
