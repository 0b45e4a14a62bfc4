import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Json, type Lamp, lampHome, type Running, until } from '../support/cli/lamp.ts';

/** One host for all of these tests, and a cast of jobs that end in every way a job can. */
let here: Lamp;
let host: Running;
const sleeper = 'import time\nprint("here", flush=True)\ntime.sleep(60)\n';

beforeAll(async () => {
  here = await lampHome();
  await Promise.all([
    here.job(
      'good',
      'import os, sys\nprint("hello", *sys.argv[1:])\nopen(os.environ["JOB_METRICS"], "a").write("rows=3\\n")',
    ),
    here.job('seven', 'import sys\nsys.exit(7)'),
    here.job('two-five-five', 'import sys\nsys.exit(255)'),
    here.job('killed', 'import os\nos.kill(os.getpid(), 9)'),
    here.job('slow', sleeper, 'run: { command: [python, main.py], timeout: 1s, grace: 1s }\n'),
    here.job('sleeper', sleeper),
    here.job(
      'stubborn',
      `import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n${sleeper}`,
      'run: { command: [python, main.py], grace: 1s }\n',
    ),
    here.job(
      'chatter',
      `import os, sys, time
attempt = os.environ["JOB_ATTEMPT"]
for i in range(3):
    print("line", attempt, i, flush=True)
    while not os.path.exists("${here.home}/go"):
        time.sleep(0.02)
sys.exit(attempt == "1")`,
      'retry: { attempts: 2, delay: 1s, on: [application] }\n',
    ),
    here.job('big', 'for i in range(50_000): print(f"{i:05d}", "x" * 94)'),
    here.job('binary', 'import sys\nsys.stdout.buffer.write(b"\\xff\\xfe ok\\n")'),
    here.job('writer', 'open("rows.csv", "w").write("a,b\\n1,2\\n3,4\\n")', 'outputs: [rows.csv]\n'),
    here.job('reader', 'print(open("rows.csv").read())', 'inputs: [writer/rows.csv]\n'),
    here.job('weekly', sleeper, 'schedule: { cron: "0 3 * * 1", timeZone: UTC }\n'),
    here.job('daily', 'print("day")', 'schedule: { cron: "30 2 * * *", timeZone: Europe/Berlin }\n'),
  ]);
  host = await here.start();
});

afterAll(async () => {
  host?.child.kill('SIGTERM');
  await host?.ended;
  await here?.clean();
});

const queue = async (job: string): Promise<string> => (await here.json(['run', job])).run;
const state = async (run: string): Promise<string> => (await here.json(['show', run])).state;
const reaches = (run: string, wanted: string) =>
  until(`${run} is ${wanted}`, async () => (await state(run)) === wanted);

test.each([
  ['good', 0],
  ['seven', 7],
  ['two-five-five', 255],
  ['killed', 137],
  ['slow', 124],
])('run --wait of the job %s exits with %i', async (job, code) => {
  expect((await here.process(['run', job, '--wait'])).code).toBe(code);
});

test('a run that is cancelled while a person waits ends it with 130, even when the job ignores the request', async () => {
  const waiting = here.begin(['run', 'stubborn', '--wait']);
  const run = await until('it runs', () => /(\S+) running/.exec(waiting.said())?.[1]);
  await until('it has begun', async () => (await here.lamp(['logs', run])).stdout.includes('here'));
  const cancelled = await here.lamp(['cancel', run, '--why', 'wrong list', '--by', 'dana']);
  expect(cancelled).toMatchObject({ code: 0, stdout: `${run} is being ended.\n` });
  const { code, stdout } = await waiting.ended;
  expect([code, stdout]).toEqual([130, `${run} cancelled: wrong list\n`]);
  const again = await here.lamp(['cancel', run]);
  expect([again.code, again.stderr]).toEqual([1, `${run} is over already: cancelled.\n`]);
});

test('a run that may not overlap is skipped with the reason, and an active one cannot be retried', async () => {
  const first = await queue('sleeper');
  await reaches(first, 'running');
  const second = await here.lamp(['run', 'sleeper', '--wait']);
  expect(second.code).toBe(1);
  expect(second.stdout).toMatch(/skipped: .*still under way/);
  const retry = await here.lamp(['retry', first]);
  expect(retry.code).toBe(1);
  expect(retry.stderr).toContain(`${first} is running: it is not over yet`);
  await here.lamp(['cancel', first]);
  await reaches(first, 'cancelled');
});

test('a whole backfill is cancelled by one command, several runs by their names', async () => {
  await here.lamp(['backfill', 'weekly', '--from', '2026-03-01', '--to', '2026-03-31']);
  const first = 'weekly.20260302T030000Z.b';
  await reaches(first, 'running');
  const some = ['weekly.20260330T030000Z.b', 'weekly.20260323T030000Z.b'];
  const few = await here.lamp(['cancel', ...some]);
  expect(few).toMatchObject({ code: 0, stdout: some.map((run) => `${run} cancelled.\n`).join('') });
  const all = await here.lamp(['cancel', '--backfill', 'weekly', '--why', 'wrong range']);
  expect(all).toMatchObject({ code: 0, stdout: `2 runs of weekly cancelled, ${first} is being ended.\n` });
  await reaches(first, 'cancelled');
  expect(await here.json(['cancel', '--backfill', 'weekly'])).toEqual({ job: 'weekly', cancelled: [], ending: [] });
  const both = await here.lamp(['cancel', first, '--backfill', 'weekly']);
  expect([both.code, both.stderr]).toEqual([1, 'Give either names of runs, or --backfill and a job.\n']);
  expect((await here.lamp(['cancel'])).stderr).toContain('Say which run: lamp cancel <run>');
});

test('Ctrl-C while waiting says that the run goes on, and exits with 130', async () => {
  const waiting = here.begin(['run', 'sleeper', '--wait']);
  const run = await until('it runs', () => /(\S+) running/.exec(waiting.said())?.[1]);
  waiting.child.kill('SIGINT');
  const { code, stderr } = await waiting.ended;
  expect(code).toBe(130);
  expect(stderr).toContain(`${run} goes on without you`);
  expect(await state(run)).toBe('running');
  await here.lamp(['cancel', run]);
  await reaches(run, 'cancelled');
});

test('a retry runs the same slot with the same arguments again', async () => {
  await here.lamp(['run', 'good', '--wait', '--', 'a', '--home', 'b']);
  const past: Json = await here.json(['show', 'good']);
  const again = await here.json(['retry', past.run, '--wait', '--why', 'once more']);
  expect(again).toMatchObject({ state: 'succeeded', slot: past.slot, repeats: past.run, args: ['a', '--home', 'b'] });
  expect((await here.lamp(['logs', again.run])).stdout).toBe('hello a --home b\n');
});

test('a run says which run of which job each of its inputs came from', async () => {
  const written = await here.json(['run', 'writer', '--wait']);
  const read = await here.json(['run', 'reader', '--wait']);
  expect(read).toMatchObject({ state: 'succeeded', inputs: [{ path: 'rows.csv', job: 'writer', output: 'rows.csv' }] });
  expect((await here.lamp(['logs', read.run])).stdout).toContain('3,4');
  const { stdout } = await here.lamp(['show', read.run]);
  expect(stdout).toMatch(
    new RegExp(`^input +rows.csv · from ${written.run.replaceAll('.', '[.]')} · [0-9a-f]{12}$`, 'm'),
  );
  expect(read.attempts[0].versions.bundle).toBe(read.versions.bundle);
});

test('logs -f shows each line while the job runs, through its retry, to the end', async () => {
  const run = await queue('chatter');
  const following = here.begin(['logs', run, '-f']);
  await until('its first line', () => following.said().includes('line 1 0'));
  expect(await state(run)).toBe('running');
  await writeFile(join(here.home, 'go'), '');
  const { code, stdout, stderr } = await following.ended;
  const lines = (attempt: number) => Array.from({ length: 3 }, (_, i) => `line ${attempt} ${i}`);
  expect(stdout.trim().split('\n')).toEqual([...lines(1), '[lamplighter] attempt 2', ...lines(2)]);
  expect([code, stderr]).toEqual([0, `${run} succeeded\n`]);
  const first = await here.lamp(['logs', 'chatter', '--attempt', '1', '-t']);
  expect(first.stdout).toMatch(/^(\d{4}-\d\d-\d\dT[\d:.]+Z line 1 \d\n){3}$/);
  const third = await here.lamp(['logs', run, '--attempt', '3']);
  expect([third.code, third.stderr]).toEqual([1, `${run} has 2 attempts; there is no attempt "3".\n`]);
});

test('a log of 5 MB comes whole, and a reader who leaves early is no error', async () => {
  await here.lamp(['run', 'big', '--wait']);
  const { stdout } = await here.process(['logs', 'big']);
  expect(stdout.split('\n')).toHaveLength(50_001);
  expect(stdout).toContain(`\n49999 ${'x'.repeat(94)}\n`);
  const reading = here.begin(['logs', 'big']);
  reading.child.stdout?.once('data', () => reading.child.stdout?.destroy());
  const { code, stderr } = await reading.ended;
  expect([code, stderr]).toEqual([0, '']);
});

test('what is no text is kept to the byte in the JSON of a log', async () => {
  await here.lamp(['run', 'binary', '--wait']);
  const { stdout } = await here.process(['logs', 'binary', '--json']);
  const record = JSON.parse(stdout);
  expect(Buffer.from(record.base64, 'base64')).toEqual(Buffer.from([0xff, 0xfe, 0x20, 0x6f, 0x6b]));
});

test('runs can be listed by job, state and age, and every wrong filter is explained', async () => {
  await here.lamp(['run', 'seven', '--wait']);
  const failed: Json[] = await here.json(['runs', 'seven', '--state', 'failed,lost', '--since', '1h', '--limit', '1']);
  expect(failed).toHaveLength(1);
  expect(failed[0]).toMatchObject({ job: 'seven', state: 'failed', trigger: 'manual' });
  expect(failed[0].attempts[0]).toMatchObject({ number: 1, exitCode: 7, error: 'exit code 7' });
  expect(await here.json(['runs', 'seven', '--state', 'succeeded'])).toEqual([]);
  const table = (await here.lamp(['runs', 'seven'])).stdout.split('\n');
  expect(table[0]).toMatch(/^RUN +STATE +TRIGGER +TOOK +WHAT HAPPENED$/);
  expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(80);

  expect(await here.lamp(['runs', '--state', 'faild'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('did you mean failed?'),
  });
  expect(await here.lamp(['runs', '--since', '2026-02-31'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"2026-02-31" is no time'),
  });
  expect((await here.lamp(['runs', '--limit', '0'])).code).toBe(2);
});

test('a mistyped job or run names the nearest one', async () => {
  const run = await queue('good');
  expect(await here.lamp(['logs', 'goood'])).toMatchObject({
    code: 1,
    stderr: 'There is no job "goood". Did you mean good?\n',
  });
  const wrong = `${run.slice(0, -1)}${run.endsWith('0') ? '1' : '0'}`;
  expect((await here.lamp(['show', wrong])).stderr).toContain(`There is no run "${wrong}". Did you mean good.`);
});

test('jobs that need a person come first', async () => {
  await here.lamp(['run', 'seven', '--wait']);
  await here.lamp(['pause', 'good', '--why', 'holidays', '--by', 'dana']);
  const listed: Json[] = await here.json(['jobs']);
  const place = (name: string) => listed.findIndex(({ job }) => job === name);
  expect(place('seven')).toBeLessThan(place('good'));
  expect(place('good')).toBeLessThan(place('daily'));
  expect(listed[place('good')].paused).toMatchObject({ by: 'dana', why: 'holidays' });
  expect((await here.lamp(['pause', 'good'])).stdout).toBe('good was paused already, by dana: holidays.\n');
  expect(await here.json(['resume', 'good', '--no-catch-up'])).toEqual({
    job: 'good',
    paused: false,
    changed: true,
    caughtUp: [],
  });
  expect((await here.lamp(['resume', 'good'])).stdout).toBe('good was not paused.\n');
});

test('events report who did what to a job, and why', async () => {
  await here.lamp(['pause', 'daily', '--why', 'the CRM moves', '--by', 'lee@contoso.com']);
  await here.lamp(['resume', 'daily', '--by', 'dana@contoso.com']);
  const events: Json[] = await here.json(['events', 'daily', '--limit', '2']);
  expect(events.map(({ kind, by, why }) => [kind, by, why])).toEqual([
    ['resumed', 'dana@contoso.com', ''],
    ['paused', 'lee@contoso.com', 'the CRM moves'],
  ]);
  expect((await here.lamp(['events', 'daily'])).stdout).toMatch(/deployed/);
  const audit = await here.lamp(['audit', 'verify']);
  expect([audit.code, audit.stderr]).toEqual([0, '']);
  const [, head = ''] = /head, to be kept elsewhere: (\S+)/.exec(audit.stdout) ?? [];
  expect((await here.lamp(['audit', 'verify', '--head', head])).code).toBe(0);
  const foreign = await here.lamp(['audit', 'verify', '--head', head.replace(/.{8}$/, '00000000')]);
  expect([foreign.code, foreign.stdout]).toEqual([1, expect.stringContaining('✘ changed: entry ')]);
});

test('a backfill shows its plan first, fills whole days of the job’s own zone, and has nothing to do the second time', async () => {
  const range = ['backfill', 'daily', '--from', '2026-03-28', '--to', '2026-03-30'];
  const plan: Json = await here.json([...range, '--dry-run']);
  // 2026-03-29 has no 02:30 in Berlin: the run comes right after the gap.
  const slots = ['2026-03-28T01:30:00Z', '2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z'];
  expect(plan).toEqual({ job: 'daily', dryRun: true, slots, done: 0 });
  const text = (await here.lamp([...range, '--dry-run'])).stdout;
  expect(text).toContain('3 runs would be queued; 0 slots succeeded or under way already.');
  expect(text).toContain('2026-03-28T02:30');

  const filled = await here.lamp([...range, '--wait']);
  expect(filled).toMatchObject({ code: 0, stdout: expect.stringMatching(/^3 runs queued.*\n3 succeeded\n$/s) });
  expect((await here.lamp(range)).stdout).toBe('Nothing to do: 3 slots succeeded or under way already.\n');
  const dates = await here.process(['backfill', 'daily', '--dates', '-', '--dry-run', '--json'], {
    stdin: '# days\n2026-03-30\n2026-03-31\n',
  });
  expect(JSON.parse(dates.stdout)).toMatchObject({ slots: ['2026-03-31T00:30:00Z'], done: 1 });
});

test.each([
  ['a future day', ['--from', '2026-03-28', '--to', '2999-01-01'], /has not come yet/],
  ['an end before its beginning', ['--from', '2026-03-28', '--to', '2026-03-01'], /comes after --to/],
  [
    'more runs than --max',
    ['--from', '2026-01-01', '--to', '2026-03-01', '--max', '10'],
    /60 runs, more than --max 10/,
  ],
  ['half a range', ['--from', '2026-01-01'], /Say which slots/],
  ['a day that is none', ['--from', '2026-02-30', '--to', '2026-03-01'], /"2026-02-30" is no time/],
  ['a file that is not there', ['--dates', '/nowhere/days'], /cannot be read \(ENOENT\)/],
])('a backfill refuses %s', async (_, args, message) => {
  const { code, stderr } = await here.lamp(['backfill', 'daily', ...args]);
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
});

test('colours are off in pipes and with NO_COLOR, and on when asked for', async () => {
  expect((await here.process(['jobs'])).stdout).not.toContain('\x1b[');
  expect((await here.process(['jobs'], { env: { FORCE_COLOR: '1' } })).stdout).toContain('\x1b[');
  expect((await here.process(['jobs'], { env: { NO_COLOR: '1' } })).stdout).not.toContain('\x1b[');
});
