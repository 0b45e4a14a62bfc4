import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Json, type Lamp, lampHome } from '../support/cli/lamp.ts';

/** What the command line says without any host: help, schedules, and mistakes of those who type. */
let here: Lamp;

beforeAll(async () => {
  here = await lampHome();
  await here.job('daily', 'print("day")', 'schedule: { cron: "30 2 * * *", timeZone: Europe/Berlin }\n');
});

afterAll(() => here?.clean());

const commands = [
  ...'start check new backup restore export import clock image package jobs next runs show logs events audit run rerun cancel pause resume backfill'.split(
    ' ',
  ),
  ...'metrics health diagnose incidents ack resolve silence alerts watchdog drift baseline replay detect deploy outputs verify use mcp'.split(
    ' ',
  ),
];

test('lamp alone and lamp --help list every command', async () => {
  for (const args of [[], ['--help']]) {
    const { code, stdout, stderr } = await here.process(args);
    expect(code).toBe(0);
    for (const command of commands) expect(stdout + stderr).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  }
});

test.each(commands)('the help of lamp %s has examples', async (command) => {
  const { code, stdout } = await here.lamp([command, '--help']);
  expect(code).toBe(0);
  expect(stdout).toContain(`\nExamples:\n`);
  expect(stdout).toContain(`lamp ${command}`);
});

test.each([
  ['an unknown command', ['rnus'], 'Did you mean runs?'],
  ['an unknown flag', ['runs', '--sttae', 'failed'], 'Did you mean --state?'],
  ['a missing job', ['run'], "missing required argument 'job'"],
  ['a number that is none', ['next', '-n', 'ten'], 'Expected a whole number'],
  ['a port that is none', ['start', '--port', '70000'], 'Expected a port'],
])('%s ends with 2 and a hint', async (_, args, hint) => {
  const { code, stdout, stderr } = await here.lamp(args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(hint);
});

test('next shows both clocks, and what a clock change does', async () => {
  const zone = ['--time-zone', 'Europe/Berlin', '--after', '2026-03-28T12:00Z', '-n', '2'];
  const runs: Json[] = await here.json(['next', '--cron', '30 2 * * *', ...zone]);
  expect(runs).toEqual([
    {
      utc: '2026-03-29T01:00:00Z',
      local: '2026-03-29T03:00:00+02:00',
      note: '02:30 does not exist on this day: runs at 03:00',
    },
    { utc: '2026-03-30T00:30:00Z', local: '2026-03-30T02:30:00+02:00' },
  ]);
  const { stdout } = await here.lamp(['next', 'daily', '--after', '2026-03-28T12:00Z', '-n', '2']);
  expect(stdout).toContain('the clock goes forward by 60 min');
  expect((await here.json(['next', '--after', '2026-03-28', '-n', '1']))[0].job).toBe('daily');
});

test.each([
  ['a job that is not there', ['next', 'dayly'], 'Did you mean daily?'],
  ['a job and a schedule at once', ['next', 'daily', '--cron', '0 7 * * *'], 'not both'],
  ['a schedule that never comes', ['next', '--cron', '0 0 31 2 *'], '31'],
  ['a zone that is none', ['next', '--cron', '0 7 * * *', '--time-zone', 'Europe/Berlyn'], 'Europe/Berlin'],
  ['an instant that is none', ['next', '--after', 'tomorrow'], '2026-11-20T07:00Z'],
  ['a job name with capitals', ['new', 'Score Prospects'], 'score-prospects'],
])('%s is refused with what to write instead', async (_, args, hint) => {
  const { code, stderr } = await here.lamp(args);
  expect(code).toBe(1);
  expect(stderr).toContain(hint);
});

test('a home that is not there, or no folder, is refused, before and after the command', async () => {
  await writeFile(join(here.home, 'file'), '');
  const missing = await here.lamp(['runs', '--home', join(here.home, 'nowhere')]);
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('nowhere does not exist: --home')]);
  const file = await here.lamp(['runs', '--home', join(here.home, 'file')]);
  expect([file.code, file.stderr]).toEqual([1, expect.stringContaining('file is not a folder: --home')]);
});

test('a folder without jobs says how to make one, and the one that is made passes', async () => {
  const empty = await lampHome();
  try {
    const { code, stderr } = await empty.process(['start', '--port', '0']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('lamp new <job>')]);
    const made: Json = await empty.json(['new', 'first-job', '--owner', 'dana@contoso.com']);
    expect(made.files).toHaveLength(3);
    expect(await empty.json(['check'])).toEqual({ jobs: ['first-job'], problems: [] });
    expect((await empty.lamp(['new', 'first-job'])).code).toBe(1);
  } finally {
    await empty.clean();
  }
});

test('a check that finds a problem exits with 1, and next goes on without that job', async () => {
  await here.job('broken', 'print()', 'colour: red\n');
  const checked = await here.process(['check', '--json']);
  expect(checked.code).toBe(1);
  expect(JSON.parse(checked.stdout).problems[0]).toMatchObject({ line: 8, code: expect.any(String) });
  const { code, stderr } = await here.lamp(['next', '-n', '1']);
  expect([code, stderr]).toEqual([0, 'Without broken: lamp check says why.\n']);
});

test('no warning that SQLite is experimental reaches the user, and any other one does', async () => {
  const warn = `process.once('beforeExit', () => {
    process.emitWarning('SQLite is an experimental feature and might change at any time', 'ExperimentalWarning');
    process.emitWarning('the cellar is flooded');
  })`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(warn)}` };
  const { code, stdout, stderr } = await here.process(['next', '--cron', '0 7 * * *', '-n', '1'], { env });
  expect([code, stdout]).toEqual([0, expect.stringContaining('07:00')]);
  expect(stderr).toContain('the cellar is flooded');
  expect(stderr).not.toContain('SQLite');
});
