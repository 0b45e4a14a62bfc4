import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { check } from '../cli/check.ts';
import { checkJobs } from '../shared/check.ts';

let root: string;
let jobs: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'check-'));
  jobs = join(root, 'jobs');
  await mkdir(jobs);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const base = `description: Scores yesterday's prospects.
owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
`;
const echo = 'run: { command: [echo, hello] }\n';

/** Writes a job; `more` is the end of its manifest. */
async function write(name: string, more = echo, files: Record<string, string> = { 'README.md': '#' }): Promise<string> {
  const folder = join(jobs, name);
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries({ 'job.yaml': base + more, ...files }))
    await writeFile(join(folder, file), text);
  return folder;
}
const found = async () =>
  (await checkJobs(jobs)).problems.map(({ file, code }) => `${file.slice(jobs.length + 1)} ${code}`);

describe('a valid job', () => {
  it('is read with times in milliseconds, sizes in bytes, and every value it gives', async () => {
    const folder = await write(
      'score-prospects',
      `builtWith: { tool: Claude Code, version: "2.1" }
schedule: { cron: "0 7 * * 1-5", timeZone: Europe/London, catchUp: all, mustStartWithin: 10m, mustFinishBy: "07:45" }
run: { command: [python, score.py], timeout: 15m, grace: 5s, mustRunAtLeast: 2s, overlap: queue, cpu: 2, memory: 512Mi, python: "3.12", logLimit: 10MB }
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
    await write('pull-prospects', `${echo}outputs: [out/prospects.csv]\n`);
    const { jobs: read, problems } = await checkJobs(jobs);
    expect(problems).toEqual([]);
    const job = read.find(({ name }) => name === 'score-prospects');
    expect(job).toEqual({
      name: 'score-prospects',
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
        },
      ],
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
      retry: { attempts: 3, backoff: 'constant', delayMs: 5_000, maxDelayMs: 60_000, on: ['network'] },
      inputs: [{ path: 'prospects.csv', job: 'pull-prospects', output: 'out/prospects.csv' }],
      outputs: ['outbound.csv'],
      metrics: { rows: { min: 1, max: 9, drift: 'high' }, mean: { drift: 'normal' } },
      alerts: { teams: 'sales-ops', email: ['sales-ops@contoso.com'] },
      logLimitBytes: 10_000_000,
      locked: true,
    });
  });

  it('needs no more than a sentence, an owner, tier, data and a command', async () => {
    await write('smallest');
    expect((await checkJobs(jobs)).jobs).toMatchObject([
      {
        status: 'production',
        schedules: [],
        python: null,
        env: {},
        secrets: {},
        timeoutMs: 3_600_000,
        graceMs: 10_000,
        minDurationMs: null,
        overlap: 'forbid',
        concurrency: 1,
        cpu: 0.5,
        memoryBytes: 1_073_741_824,
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
    await write('many', 'run: { command: [echo], overlap: allow }\n');
    await write('some', 'run: { command: [echo], overlap: allow, concurrency: 3 }\n');
    expect((await checkJobs(jobs)).jobs.map(({ concurrency }) => concurrency)).toEqual([10, 3]);
  });

  it('may have up to ten schedules, and one is taken for a list of one', async () => {
    await write('often', `${echo}schedule: [{ cron: "@daily" }, { cron: "0 7 * * *", timeZone: Asia/Tokyo }]\n`);
    const [job] = (await checkJobs(jobs)).jobs;
    expect(job?.schedules.map(({ schedule }) => [schedule.cron, schedule.timeZone])).toEqual([
      ['@daily', 'UTC'],
      ['0 7 * * *', 'Asia/Tokyo'],
    ]);
    await write('too-often', `${echo}schedule: [${Array(11).fill('{ cron: "@daily" }').join(', ')}]\n`);
    expect(await found()).toEqual(['too-often/job.yaml out-of-range']);
  });

  it('is still found when its neighbour is broken', async () => {
    await write('good');
    await write('broken', 'run: [');
    const { jobs: read, problems } = await checkJobs(jobs);
    expect(read.map(({ name }) => name)).toEqual(['good']);
    expect(problems.map(({ code }) => code)).toEqual(['yaml-syntax']);
  });
});

describe('the jobs folder', () => {
  it('that is missing or empty is said to be so, with what to do', async () => {
    expect((await checkJobs(join(root, 'nowhere'))).problems).toMatchObject([
      {
        file: join(root, 'nowhere'),
        code: 'no-jobs',
        message: expect.stringContaining('does not exist'),
        hint: expect.stringContaining('lamp new'),
      },
    ]);
    expect((await checkJobs(jobs)).problems).toMatchObject([
      { code: 'no-jobs', message: expect.stringContaining('holds no job') },
    ]);
  });

  it('that is a file is unreadable, not empty', async () => {
    await writeFile(join(root, 'file'), '');
    expect((await checkJobs(join(root, 'file'))).problems).toMatchObject([
      {
        code: 'unreadable',
        message: expect.stringContaining('ENOTDIR'),
        hint: expect.stringContaining('name the folder'),
      },
    ]);
  });

  it('may hold files, and folders that begin with a dot or an underscore', async () => {
    await write('good');
    await writeFile(join(jobs, 'README.md'), '');
    await mkdir(join(jobs, '_shared'));
    await mkdir(join(jobs, '.cache'));
    expect(await found()).toEqual([]);
  });

  it('refuses names that are unsafe, foreign or too long', async () => {
    for (const name of ['constructor', 'nul', 'sсore', 'x'.repeat(49)]) await write(name);
    expect(await found()).toEqual(
      [
        'constructor unsafe-name',
        'nul unsafe-name',
        'sсore look-alike-character',
        `${'x'.repeat(49)} name-too-long`,
      ].sort(),
    );
  });
});

describe('links and odd files', () => {
  it('a job folder or manifest that leads outside is refused; one that stays inside is read', async () => {
    await write('real');
    await cp(join(jobs, 'real'), join(root, 'outside'), { recursive: true });
    await symlink(join(root, 'outside'), join(jobs, 'linked'));
    const inner = await write('linked-manifest');
    await rm(join(inner, 'job.yaml'));
    await symlink(join(root, 'outside', 'job.yaml'), join(inner, 'job.yaml'));
    const fine = await write('inside');
    await rm(join(fine, 'job.yaml'));
    await symlink(join(jobs, 'real', 'job.yaml'), join(fine, 'job.yaml'));
    expect(await found()).toEqual(['linked outside', 'linked-manifest/job.yaml outside']);
  });

  it('a link that leads nowhere is unreadable, and a circle of links too', async () => {
    await write('good');
    await symlink(join(root, 'gone'), join(jobs, 'gone'));
    await symlink(join(jobs, 'ring'), join(jobs, 'ring'));
    expect(await found()).toEqual(['gone unreadable', 'ring unreadable']);
  });

  it('a pipe or a folder in place of job.yaml is refused without waiting', async () => {
    const pipe = await write('pipe');
    await rm(join(pipe, 'job.yaml'));
    execFileSync('mkfifo', [join(pipe, 'job.yaml')]);
    await mkdir(join(jobs, 'folder', 'job.yaml'), { recursive: true });
    expect(await found()).toEqual(['folder/job.yaml no-file', 'pipe/job.yaml no-file']);
  });

  it('a script that is only a link is not there, since links are not packed', async () => {
    const folder = await write('linked-script', 'run: { command: [python, main.py] }\n');
    await writeFile(join(root, 'main.py'), '');
    await symlink(join(root, 'main.py'), join(folder, 'main.py'));
    expect(await found()).toEqual(['linked-script/job.yaml missing-script']);
  });
});

describe('what is in a job folder', () => {
  it('a folder of more than 50 MB is refused and its largest file named; tools leave what they like', async () => {
    const folder = await write('big');
    await mkdir(join(folder, '.venv'));
    await writeFile(join(folder, '.venv', 'lib'), '');
    await truncate(join(folder, '.venv', 'lib'), 60_000_000);
    expect(await found()).toEqual([]);
    await writeFile(join(folder, 'export.csv'), '');
    await truncate(join(folder, 'export.csv'), 50_000_001);
    const { problems } = await checkJobs(jobs);
    expect(problems).toMatchObject([{ code: 'too-large', hint: expect.stringContaining('export.csv') }]);
  });

  it.each([
    ['run: { command: [python, main.py] }', []],
    ['run: { command: [python3, ./main.py, other.py] }', []],
    ['run: { command: [python, -u, main.py] }', []],
    ['run: { command: [python, -m, package.py] }', []],
    ['run: { command: [bash, gone.py] }', []],
    ['run: { command: [python, mian.py] }', ['job/job.yaml missing-script']],
    ['run: { command: [python, /home/dana/main.py] }', ['job/job.yaml unsafe-path']],
    ['run: { command: [python, "C:\\\\Users\\\\dana\\\\main.py"] }', ['job/job.yaml unsafe-path']],
  ])('%s finds its script or says so', async (more, expected) => {
    await write('job', more, { 'README.md': '#', 'main.py': '' });
    expect(await found()).toEqual(expected);
  });

  it.each([
    ['[project]\nname = "x"\ndependencies = []\n', []],
    ['[project]\nname = "x"\n# dependencies = ["requests"]\n', []],
    ['[tool.other]\ndependencies = ["requests"]\n', []],
    ['[project]\ndependencies = ["requests"]\n', ['job/pyproject.toml missing-lock']],
    ['[project]\ndependencies = [\n  # why\n  "requests",\n]\n', ['job/pyproject.toml missing-lock']],
    ['[tool.poetry.dependencies]\npython = "^3.12"\nrequests = "*"\n', ['job/pyproject.toml missing-lock']],
  ])('dependencies need a lock: %j', async (text, expected) => {
    await write('job', echo, { 'README.md': '#', 'pyproject.toml': text });
    expect(await found()).toEqual(expected);
    await writeFile(join(jobs, 'job', 'uv.lock'), '');
    expect(await found()).toEqual([]);
  });

  it('a job in production has a README, in whatever case; one in development need not', async () => {
    await write('described', echo, { 'readme.md': '' });
    await write('young', `${echo}status: development\n`, {});
    await write('bare', echo, {});
    expect(await found()).toEqual(['bare/README.md missing-readme']);
  });
});

describe('jobs that need each other', () => {
  it('take inputs from outputs that are declared, even by a job that is broken otherwise', async () => {
    await write('pull', 'run: { command: [echo], timeout: soon }\noutputs: [a.csv]\n');
    await write('score', `${echo}inputs: [pull/a.csv]\n`);
    await write('push', `${echo}inputs: [pull/b.csv, scroe/a.csv]\n`);
    expect(await found()).toEqual([
      'pull/job.yaml duration',
      'push/job.yaml unknown-output',
      'push/job.yaml unknown-job',
    ]);
  });

  it('are not accused when the other manifest cannot be read at all', async () => {
    await write('pull', 'run: [');
    await write('score', `${echo}inputs: [pull/a.csv]\n`);
    expect(await found()).toEqual(['pull/job.yaml yaml-syntax']);
  });

  it('must not wait for each other in a circle', async () => {
    await write('a', `${echo}inputs: [c/x.csv]\noutputs: [x.csv]\n`);
    await write('b', `${echo}inputs: [a/x.csv]\noutputs: [x.csv]\n`);
    await write('c', `${echo}inputs: [b/x.csv]\noutputs: [x.csv]\n`);
    await write('after', `${echo}inputs: [c/x.csv]\n`);
    expect(await found()).toEqual(['a', 'b', 'c'].map((name) => `${name}/job.yaml input-cycle`));
  });

  it('with names that look alike are each told about the others', async () => {
    for (const name of ['sales', 'sa1es', 's-ales', 'other']) await write(name);
    const { problems, jobs: read } = await checkJobs(jobs);
    expect(problems.map(({ code }) => code)).toEqual(Array(3).fill('look-alike-names'));
    expect(problems.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('looks like "s-ales" and "sales"'),
    );
    expect(read.map(({ name }) => name)).toEqual(['other']);
  });
});

describe('lamp check', () => {
  it('says how many jobs and problems there are, and fails when there is one', async () => {
    await write('good');
    expect(await check(jobs)).toEqual({ text: '1 job, 0 problems', exitCode: 0 });
    await write('broken', 'run: { command: [echo], timeout: soon }\ntimeout: 5m\n');
    await write('bare', echo, {});
    const { text, exitCode } = await check(jobs);
    expect(exitCode).toBe(1);
    expect(text.split('\n').filter((line) => !line.startsWith('    '))).toEqual([
      expect.stringMatching(/jobs\/bare\/README.md {2}is missing/),
      expect.stringMatching(/jobs\/broken\/job.yaml:5:34 {2}run.timeout: "soon" is no duration/),
      expect.stringMatching(/jobs\/broken\/job.yaml:6:1 {2}timeout: "timeout" is no field at the top level/),
      '3 jobs, 3 problems',
    ]);
    expect(text).toContain('\n    it belongs under run\n');
  });

  it('gives machines the same as JSON', async () => {
    await write('good');
    await write('bare', echo, {});
    const { text, exitCode } = await check(jobs, { json: true });
    expect(exitCode).toBe(1);
    expect(JSON.parse(text)).toMatchObject({
      jobs: ['good'],
      problems: [{ code: 'missing-readme', message: expect.any(String) }],
    });
  });
});
