import { beforeAll, expect, test } from 'vitest';
import { World } from '../support/shim/shim.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
});

test('bytes that are no text survive: invalid UTF-8, NUL, carriage returns and colours', async () => {
  const odd = String.raw`b'\xff\xfe\x00bad\r\n\x1b[31mred\x1b[0m\n\n \xc3\xa4 last'`;
  const { result, log } = await world.run(await world.spec(`import sys; sys.stdout.buffer.write(${odd})`));
  const expected = Buffer.from('\xff\xfe\x00bad\r\n\x1b[31mred\x1b[0m\n\n \xc3\xa4 last\n', 'latin1');
  expect(log.job.equals(expected)).toBe(true);
  expect(result.log).toMatchObject({ text: null, bytes: expected.length - 1, lines: 4 });
});

test('a short clean log is in the result, and a longer one in its blob', async () => {
  for (const [bytes, inline] of [
    [30_000, true],
    [70_000, false],
  ] as const) {
    const { result, log } = await world.run(await world.spec(`print('ä' * ${bytes / 2 - 1} + '.')`));
    expect(result.log.text !== null).toBe(inline);
    expect(log.job.length).toBe(bytes);
  }
});

test('a line that has begun is shown within seconds and goes on in the next record', async () => {
  const script = 'import time\nprint("loading", end="", flush=True)\ntime.sleep(2.5)\nprint(" done")';
  const { log } = await world.run(await world.spec(script));
  expect(log.records.map(({ marker, text }) => marker + text)).toEqual(['+loading', '  done']);
});

test('a line of 100 MB without an end passes in pieces, and the middle of it is left out', async () => {
  const script = 'import sys\nfor _ in range(100): sys.stdout.write("x" * 1000000)';
  const { result, log } = await world.run(await world.spec(script, { logLimitBytes: 1 << 20 }));
  expect(result).toMatchObject({ outcome: 'succeeded', log: { bytes: 100_000_000, lines: 1, capped: true } });
  expect(log.bytes.length).toBeLessThan((1 << 20) + 200);
  expect(Math.max(...log.records.map(({ text }) => text.length))).toBe(64 * 1024);
  expect(log.ours).toEqual([expect.stringMatching(/^log capped: \d+ bytes left out$/)]);
});

test('of a long log the head and the last 64 KiB are kept, and what is left out is counted', async () => {
  const script = 'for i in range(200000): print("line", i)';
  const { result, log } = await world.run(await world.spec(script, { logLimitBytes: 200_000 }));
  expect(result.log).toMatchObject({ lines: 200_000, capped: true, text: null });
  const numbers = log.job
    .toString()
    .trim()
    .split('\n')
    .map((line) => Number(line.slice(5)));
  const gap = numbers.findIndex((number, i) => number !== i);
  expect(gap).toBeGreaterThan(3_000);
  expect(numbers.at(-1)).toBe(199_999);
  expect(numbers.slice(gap)).toEqual(
    Array.from({ length: numbers.length - gap }, (_, i) => 200_000 - numbers.length + gap + i),
  );
  const tail = log.bytes.length - log.bytes.indexOf('log capped');
  expect(tail).toBeGreaterThan(64_000);
  const leftOut = Number(/\d+/.exec(log.ours[0] as string)?.[0]);
  const every = Array.from({ length: 200_000 }, (_, i) => `line ${i}\n`.length + 25).reduce((a, b) => a + b, 0);
  const note = log.records.find(({ marker }) => marker === '#')?.text.length as number;
  // A line that is open for a second is shown before its end, which takes a record, of 26 bytes, more.
  const more = log.bytes.length + leftOut - note - 26 - every;
  expect([more % 26, more < 260]).toEqual([0, true]);
});

test('200 MB of output pass in bounded memory and in seconds', async () => {
  const script =
    'import sys\nblock = ("a line of a log with some words in it\\n" * 25000)\nfor _ in range(200): sys.stdout.write(block)';
  const spec = await world.spec(
    `${script}
import os
for line in open(f'/proc/{os.getppid()}/status'):
    if line.startswith('VmHWM'): sys.stdout.flush(); print(line)`,
    { logLimitBytes: 20 << 20, secrets: { KEY: 'never-in-the-log-4711' } },
  );
  const { result, log, ms } = await world.run(spec);
  expect(result.log.bytes).toBeGreaterThan(190_000_000);
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(log.job.subarray(-200).toString())?.[1]);
  expect(peak).toBeLessThan(120_000);
  expect(ms).toBeLessThan(15_000);
});
