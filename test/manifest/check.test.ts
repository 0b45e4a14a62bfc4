import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check } from '../../cli/commands/check.ts';
import { checkJobs } from '../../shared/manifest/check.ts';
import { echo, jobsFolder } from '../support/cli/jobs.ts';

const here = jobsFolder();

describe('a valid job', () => {
  it('is read with times in milliseconds, sizes in bytes, and every value it gives', async () => {
    const folder = await here.write(
      'score-prospects',
      `builtWith: { tool: Claude Code, version: "2.1" }
schedule: { cron: "0 7 * * 1-5", timeZone: Europe/London, catchUp: all, mustStartWithin: 10m, mustFinishBy: "07:45" }
run: { command: [python, score.py], timeout: 15m, grace: 5s, mustRunAtLeast: 2s, overlap: queue, cpu: 2, memory: 512Mi, scratch: 128Mi, pids: 64, network: none, executor: docker, python: "3.12", logLimit: 10MB }
env: { RATE: 1.10, ZIP: 00501, FAST: true, NAME: x }
secrets: { CRM_API_KEY: crm-api-key }
retry: { attempts: 3, backoff: constant, delay: 5s, maxDelay: 1m, on: [network] }
inputs: [pull-prospects/out/prospects.csv]
outputs: [outbound.csv]
metrics: { rows: { min: 1, max: 9, drift: high }, mean: {} }
alerts: { teams: sales-ops, email: [sales-ops@contoso.com] }
`,
      { 'README.md': '#', 'score.py': '', 'uv.lock': '' },
    );
    await here.write('pull-prospects', `${echo}outputs: [out/prospects.csv]\n`);
    const { jobs: read, problems } = await checkJobs(here.jobs);
    expect(problems).toEqual([]);
    const job = read.find(({ name }) => name === 'score-prospects');
    expect(job).toEqual({
      name: 'score-prospects',
      external: false,
      folder,
      description: "Scores yesterday's prospects.",
      owner: { email: 'dana@contoso.com', department: 'Sales' },
      tier: 'standard',
      data: 'internal',
      builtWith: { tool: 'Claude Code', version: '2.1' },
      status: 'production',
      schedules: [
        {
          schedule: expect.objectContaining({ cron: '0 7 * * 1-5', timeZone: 'Europe/London' }),
          catchUp: 'all',
          catchUpLimit: 100,
          mustStartWithinMs: 600_000,
          mustFinishBy: '07:45',
          args: [],
        },
      ],
      closed: { calendars: [], blackouts: [] },
      command: ['python', 'score.py'],
      python: '3.12',
      env: { RATE: '1.10', ZIP: '00501', FAST: 'true', NAME: 'x' },
      secrets: { CRM_API_KEY: 'crm-api-key' },
      timeoutMs: 900_000,
      graceMs: 5_000,
      minDurationMs: 2_000,
      overlap: 'queue',
      concurrency: 1,
      cpu: 2,
      memoryBytes: 536_870_912,
      scratchBytes: 134_217_728,
      pids: 64,
      network: 'none',
      executor: 'docker',
      retry: { attempts: 3, backoff: 'constant', delayMs: 5_000, maxDelayMs: 60_000, on: ['network'] },
      inputs: [{ path: 'prospects.csv', job: 'pull-prospects', output: 'out/prospects.csv' }],
      outputs: ['outbound.csv'],
      replay: null,
      metrics: { rows: { min: 1, max: 9, drift: 'high' }, mean: { drift: 'normal' } },
      alerts: { teams: 'sales-ops', email: ['sales-ops@contoso.com'], receipts: 'never' },
      logLimitBytes: 10_000_000,
      locked: true,
    });
  });

  it('needs no more than a sentence, an owner, tier, data and a command', async () => {
    await here.write('smallest');
    expect((await checkJobs(here.jobs)).jobs).toMatchObject([
      {
        status: 'production',
        schedules: [],
        python: null,
        env: {},
        secrets: {},
        timeoutMs: 3_600_000,
        graceMs: 10_000,
        minDurationMs: null,
        replay: null,
        overlap: 'forbid',
        concurrency: 1,
        cpu: 0.5,
        memoryBytes: 1_073_741_824,
        scratchBytes: 536_870_912,
        pids: 256,
        network: 'bridge',
        executor: null,
        inputs: [],
        outputs: [],
        metrics: {},
        alerts: { email: [] },
        logLimitBytes: 100_000_000,
        locked: false,
        retry: {
          attempts: 1,
          backoff: 'exponential',
          delayMs: 30_000,
          maxDelayMs: 600_000,
          on: [
            'network',
            'throttled',
            'server',
            'infrastructure',
            'lost',
            'timeout',
            'memory',
            'killed',
            'application',
          ],
        },
      },
    ]);
  });

  it('with overlap: allow runs up to ten times at once unless it says otherwise', async () => {
    await here.write('many', 'run: { command: [echo], overlap: allow }\n');
    await here.write('some', 'run: { command: [echo], overlap: allow, concurrency: 3 }\n');
    expect((await checkJobs(here.jobs)).jobs.map(({ concurrency }) => concurrency)).toEqual([10, 3]);
  });

  it('may have up to ten schedules, and one is taken for a list of one', async () => {
    await here.write('often', `${echo}schedule: [{ cron: "@daily" }, { cron: "0 7 * * *", timeZone: Asia/Tokyo }]\n`);
    const [job] = (await checkJobs(here.jobs)).jobs;
    expect(job?.schedules.map(({ schedule }) => [schedule.cron, schedule.timeZone])).toEqual([
      ['@daily', 'UTC'],
      ['0 7 * * *', 'Asia/Tokyo'],
    ]);
    await here.write('too-often', `${echo}schedule: [${Array(11).fill('{ cron: "@daily" }').join(', ')}]\n`);
    expect(await here.found()).toEqual(['too-often/job.yaml out-of-range']);
  });

  it('is still found when another job is broken', async () => {
    await here.write('good');
    await here.write('broken', 'run: [');
    const { jobs: read, problems } = await checkJobs(here.jobs);
    expect(read.map(({ name }) => name)).toEqual(['good']);
    expect(problems.map(({ code }) => code)).toEqual(['yaml-syntax']);
  });
});

describe('the jobs folder', () => {
  it('that is missing or empty is said to be so, with what to do', async () => {
    expect((await checkJobs(join(here.root, 'nowhere'))).problems).toMatchObject([
      {
        file: join(here.root, 'nowhere'),
        code: 'no-jobs',
        message: expect.stringContaining('does not exist'),
        hint: expect.stringContaining('lamp new'),
      },
    ]);
    expect((await checkJobs(here.jobs)).problems).toMatchObject([
      { code: 'no-jobs', message: expect.stringContaining('holds no job') },
    ]);
  });

  it('that is a job itself is said to be so, with the folder to name', async () => {
    const folder = await here.write('says');
    await mkdir(join(folder, 'data'));
    const expected = {
      code: 'no-jobs',
      message: 'is a job itself; expected the folder that holds it',
      hint: `check the folder above: lamp check ${here.jobs}`,
    };
    for (const given of [folder, `${folder}/`]) {
      expect(await checkJobs(given)).toEqual({ jobs: [], problems: [{ file: given, ...expected }] });
    }
    // A stray job.yaml among jobs is none.
    await writeFile(join(here.jobs, 'job.yaml'), '');
    expect(await here.found()).toEqual([]);
  });

  it('that is a file is unreadable, not empty', async () => {
    await writeFile(join(here.root, 'file'), '');
    expect((await checkJobs(join(here.root, 'file'))).problems).toMatchObject([
      {
        code: 'unreadable',
        message: expect.stringContaining('ENOTDIR'),
        hint: expect.stringContaining('name the folder'),
      },
    ]);
  });

  it('may hold files, and folders that begin with a dot or an underscore', async () => {
    await here.write('good');
    await writeFile(join(here.jobs, 'README.md'), '');
    await mkdir(join(here.jobs, '_shared'));
    await mkdir(join(here.jobs, '.cache'));
    expect(await here.found()).toEqual([]);
  });

  it('refuses names that are unsafe, foreign or too long', async () => {
    for (const name of ['constructor', 'nul', 'sсore', 'x'.repeat(49)]) await here.write(name);
    expect(await here.found()).toEqual(
      [
        'constructor unsafe-name',
        'nul unsafe-name',
        'sсore look-alike-character',
        `${'x'.repeat(49)} name-too-long`,
      ].sort(),
    );
  });
});

describe('lamp check', () => {
  it('says how many jobs and problems there are, and fails when there is one', async () => {
    await here.write('good');
    expect(await check(here.jobs)).toEqual({ text: '1 job, 0 problems', exitCode: 0 });
    await here.write('broken', 'run: { command: [echo], timeout: soon }\ntimeout: 5m\n');
    await here.write('bare', echo, {});
    const { text, exitCode } = await check(here.jobs);
    expect(exitCode).toBe(1);
    expect(text.split('\n').filter((line) => !line.startsWith('    '))).toEqual([
      expect.stringMatching(/jobs\/bare\/README.md {2}is missing/),
      expect.stringMatching(/jobs\/broken\/job.yaml:5:34 {2}run.timeout: "soon" is no duration/),
      expect.stringMatching(/jobs\/broken\/job.yaml:6:1 {2}timeout: "timeout" is no field at the top level/),
      '3 jobs, 3 problems',
    ]);
    expect(text).toContain('\n    it belongs under run or under replay\n');
  });

  it('gives machines the same as JSON', async () => {
    await here.write('good');
    await here.write('bare', echo, {});
    const { text, exitCode } = await check(here.jobs, { json: true });
    expect(exitCode).toBe(1);
    expect(JSON.parse(text)).toMatchObject({
      jobs: ['good'],
      problems: [{ code: 'missing-readme', message: expect.any(String) }],
    });
  });
});
