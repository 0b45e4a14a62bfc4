import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { type Printed, printer } from '../../cli/printer.ts';
import { at, log } from '../support/shim/log.ts';

class Screen extends EventEmitter {
  readonly isTTY: boolean;
  text = '';
  writes = 0;
  /** Is full after each write until it says that it has drained. */
  slow = false;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  write(bytes: Buffer): boolean {
    this.text += bytes.toString('latin1');
    this.writes += 1;
    return !this.slow;
  }

  shown(): string {
    return Buffer.from(this.text, 'latin1').toString();
  }
}

async function shown(bytes: Buffer, options: Printed, isTTY = true): Promise<string> {
  const screen = new Screen(isTTY);
  await printer(options, screen).take(bytes);
  return screen.shown();
}

const esc = String.fromCharCode(0x1b);
const hostile = Buffer.from(`${at} ok${esc}]52;c;aGk=\u0007 pay\u200bpal ${esc}[31mred\n${at} \rlater\tü\n`);

test.each([
  [{}, `ok\\u001b]52;c;aGk=\\u0007 pay\\u200bpal ${esc}[31mred\n\\u000dlater\tü\n`],
  [{ timestamps: true }, `${at} ok\\u001b]52;c;aGk=\\u0007 pay\\u200bpal ${esc}[31mred\n${at} \\u000dlater\tü\n`],
])('a terminal is shown what it would obey (%j)', async (options, text) => {
  expect(await shown(hostile, options)).toBe(text);
});

test('JSON on a terminal is safe and means the same', async () => {
  const texts = (await shown(hostile, { json: true })).trimEnd().split('\n');
  expect(texts.join('')).toMatch(/^[\x20-\x7eü]*$/);
  expect(texts.map((line) => JSON.parse(line).text)).toEqual([
    `ok${esc}]52;c;aGk=\u0007 pay\u200bpal ${esc}[31mred`,
    '\rlater\tü',
  ]);
});

test('a file gets the bytes of the job', async () => {
  expect(await shown(hostile, {}, false)).toBe(`ok${esc}]52;c;aGk=\u0007 pay\u200bpal ${esc}[31mred\n\rlater\tü\n`);
});

test('a letter that two records share is shown whole', async () => {
  const [first, second] = [...Buffer.from('é')] as [number, number];
  const screen = new Screen(true);
  const print = printer({}, screen);
  await print.take(Buffer.concat([Buffer.from(`${at}+caf`), Buffer.from([first, 0x0a])]));
  await print.take(Buffer.concat([Buffer.from(`${at} `), Buffer.from([second, 0x0a])]));
  expect(screen.shown()).toBe('café\n');
});

test('a long log is written in pieces, the next one when the last is taken', async () => {
  const screen = new Screen(false);
  screen.slow = true;
  const line = `${at} ${'x'.repeat(74)}\n`;
  const printed = printer({}, screen).take(Buffer.from(line.repeat(10_000)));
  const writes: number[] = [];
  let over = false;
  printed.then(() => {
    over = true;
  });
  while (!over) {
    writes.push(screen.writes);
    await new Promise((resolve) => setImmediate(resolve));
    screen.emit('drain');
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(writes).toEqual(writes.map((_, index) => index + 1));
  expect(writes.length).toBeGreaterThan(5);
  expect(screen.text).toBe(`${'x'.repeat(74)}\n`.repeat(10_000));
  expect(screen.eventNames()).toEqual([]);
});

test('half a record at the end of an attempt is left out, and our own words begin a new one', async () => {
  const screen = new Screen(false);
  const print = printer({}, screen);
  await print.take(Buffer.concat([log.subarray(0, 33), Buffer.from(at)]));
  await print.say('attempt 2', Date.parse(at));
  await print.take(Buffer.from(`${at} next\n`));
  expect(screen.text).toBe('first\n[lamplighter] attempt 2\nnext\n');
});
