import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleaned } from '../../cli/diagnose/collect.ts';
import { type Twice, twice } from '../support/cli/twice.ts';

let both: Twice;
let folder: string;
beforeAll(async () => {
  both = await twice();
  folder = await mkdtemp(join(tmpdir(), 'lamp-diagnose-'));
});
afterAll(async () => {
  await both?.clean();
  await rm(folder, { recursive: true, force: true });
});

const contents = [
  'README.txt',
  'attempt-1.log',
  'caller.json',
  'events.json',
  'health.json',
  'incidents.json',
  'job.json',
  'manifest.json',
  'run.json',
  'runs.json',
  'ticks.json',
  'versions.json',
];

test('a run of an app is collected into one zip, which opens, and only its user reads', async () => {
  const file = join(folder, 'sick.zip');
  const { code, stdout } = await both.app.lamp('diagnose', 'sick', '--to', file);
  expect(code).toBe(0);
  expect(stdout).toContain('Left out: values of secrets');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const list = "import sys, zipfile; print('\\n'.join(zipfile.ZipFile(sys.argv[1]).namelist()))";
  const names = execFileSync('python3', ['-c', list, file], { encoding: 'utf8' }).trim().split('\n');
  expect(names.sort()).toEqual(contents.map((name) => `sick/${name}`));
});

test('a folder has the run, its log, the job as it was deployed, and why it failed', async () => {
  const place = join(folder, 'here');
  expect((await both.machine.lamp('diagnose', 'sick', '--to', place)).code).toBe(0);
  expect((await readdir(place)).sort()).toEqual(contents);
  const read = async (name: string) => readFile(join(place, name), 'utf8');
  expect(JSON.parse(await read('run.json'))).toMatchObject({ job: 'sick', state: 'failed' });
  expect(await read('attempt-1.log')).toContain('hello from sick');
  expect(JSON.parse(await read('manifest.json')).manifest).toMatchObject({ description: 'Fails each time it runs.' });
  expect(JSON.parse(await read('incidents.json'))).toMatchObject([{ job: 'sick', cause: 'failed' }]);
});

test('what could not be had is named, and the rest is collected', async () => {
  const { claims } = both.issuer;
  both.issuer.claims = { ...claims, roles: ['viewer:Sales'] };
  const { code, stdout } = await both.app.lamp('diagnose', 'score', '--json', '--print');
  both.issuer.claims = claims;
  expect([code, JSON.parse(stdout).file]).toEqual([0, null]);
  expect(JSON.parse(stdout).contents).toContain('run.json');
});

test('a place that cannot be written is refused with what to do', async () => {
  await writeFile(join(folder, 'file'), '');
  const { code, stderr } = await both.machine.lamp('diagnose', 'sick', '--to', join(folder, 'file', 'x.zip'));
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining('cannot be written (ENOTDIR): name another place with --to'),
  ]);
});

test('values of secrets and what opens storage are cut out, also where a person wrote them', () => {
  const text = JSON.stringify({ why: 'key is hush"hush', error: 'GET https://a.blob.core.windows.net/x?sig=abc 403' });
  const clean = cleaned(text, new Map([['crm-api-key', 'hush"hush']]));
  expect(clean).not.toMatch(/hush|sig=abc/);
  expect(JSON.parse(clean)).toMatchObject({ why: 'key is [secret crm-api-key]' });
});
