import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkJobs } from '../../shared/manifest/check.ts';
import { ScaffoldError, scaffold } from '../../shared/manifest/scaffold.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'scaffold-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('lamp new', () => {
  it('starts a job that passes the check as it is, in a folder that need not exist', async () => {
    const jobs = join(root, 'deep', 'jobs');
    const files = await scaffold(jobs, 'score-prospects');
    expect(files).toEqual(
      ['job.yaml', 'score_prospects.py', 'README.md'].map((file) => join(jobs, 'score-prospects', file)),
    );
    const { jobs: read, problems } = await checkJobs(jobs);
    expect(problems).toEqual([]);
    expect(read).toMatchObject([{ name: 'score-prospects', status: 'development', outputs: ['result.csv'] }]);
    expect(await readFile(files[0] ?? '', 'utf8')).toMatch(
      /^# yaml-language-server: \$schema=..\/..\/infra\/job.schema.json\n/,
    );
  });

  it('takes owner, description and time zone, whatever characters they have', async () => {
    const description = 'Says "hello": # to all, {every} day \\ & *night*';
    await scaffold(root, 'greet', { owner: 'dana@contoso.com', description, timeZone: 'Europe/London' });
    const { jobs, problems } = await checkJobs(root);
    expect(problems).toEqual([]);
    expect(jobs).toMatchObject([
      { description, owner: { email: 'dana@contoso.com' }, schedules: [{ schedule: { timeZone: 'Europe/London' } }] },
    ]);
  });

  it('writes a script that runs and leaves its metric and its output', async () => {
    await scaffold(root, 'count-rows');
    const folder = join(root, 'count-rows');
    const metrics = join(root, 'metrics');
    const said = execFileSync('python3', ['count_rows.py'], {
      cwd: folder,
      env: { ...process.env, JOB_METRICS: metrics },
      encoding: 'utf8',
    });
    expect(said).toBe('Wrote 2 rows for by hand.\n');
    expect(await readFile(metrics, 'utf8')).toBe('rows=2\n');
    expect(await readFile(join(folder, 'result.csv'), 'utf8')).toBe('name,value\nfirst,1\nsecond,2\n');
  });

  it.each([
    ['../escape', 'unsafe-name'],
    ['constructor', 'unsafe-name'],
    ['Score', 'bad-name'],
    ['sсore', 'look-alike-character'],
    ['x'.repeat(49), 'name-too-long'],
  ])('refuses the name %s and writes nothing', async (name, code) => {
    await expect(scaffold(root, name)).rejects.toMatchObject({ code, hint: expect.stringMatching(/./) });
    expect(await readdir(root)).toEqual([]);
  });

  it('refuses a folder that exists, and leaves it alone', async () => {
    await mkdir(join(root, 'taken'));
    await expect(scaffold(root, 'taken')).rejects.toMatchObject({ code: 'exists' });
    expect(await readdir(join(root, 'taken'))).toEqual([]);
  });

  it('refuses a name that looks like a other job', async () => {
    await scaffold(root, 'sales');
    const error = await scaffold(root, 'sa1es').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ScaffoldError);
    expect(error).toMatchObject({ code: 'look-alike-names', message: expect.stringContaining('"sales"') });
    expect(await readdir(root)).toEqual(['sales']);
  });

  it.each([
    [{ owner: 'dana' }, /owner.email: "dana" does not fit/],
    [{ description: 'short' }, /description: "short" has 5 characters/],
    [{ timeZone: 'Europe/Lodnon' }, /schedule.timeZone: "Europe\/Lodnon"/],
  ])('refuses options that the manifest refuses, and writes nothing: %j', async (options, message) => {
    await expect(scaffold(root, 'job', options)).rejects.toThrow(message);
    expect(await readdir(root)).toEqual([]);
  });
});
