import { execFileSync } from 'node:child_process';
import { cp, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkJobs } from '../../shared/manifest/check.ts';
import { echo, jobsFolder } from '../support/cli/jobs.ts';

const here = jobsFolder();

describe('links and odd files', () => {
  it('a job folder or manifest that leads outside is refused; one that stays inside is read', async () => {
    await here.write('real');
    await cp(join(here.jobs, 'real'), join(here.root, 'outside'), { recursive: true });
    await symlink(join(here.root, 'outside'), join(here.jobs, 'linked'));
    const inner = await here.write('linked-manifest');
    await rm(join(inner, 'job.yaml'));
    await symlink(join(here.root, 'outside', 'job.yaml'), join(inner, 'job.yaml'));
    const fine = await here.write('inside');
    await rm(join(fine, 'job.yaml'));
    await symlink(join(here.jobs, 'real', 'job.yaml'), join(fine, 'job.yaml'));
    expect(await here.found()).toEqual(['linked outside', 'linked-manifest/job.yaml outside']);
  });

  it('a link that leads nowhere is unreadable, and a circle of links too', async () => {
    await here.write('good');
    await symlink(join(here.root, 'gone'), join(here.jobs, 'gone'));
    await symlink(join(here.jobs, 'ring'), join(here.jobs, 'ring'));
    expect(await here.found()).toEqual(['gone unreadable', 'ring unreadable']);
  });

  it('a pipe or a folder in place of job.yaml is refused without waiting', async () => {
    const pipe = await here.write('pipe');
    await rm(join(pipe, 'job.yaml'));
    execFileSync('mkfifo', [join(pipe, 'job.yaml')]);
    await mkdir(join(here.jobs, 'folder', 'job.yaml'), { recursive: true });
    expect(await here.found()).toEqual(['folder/job.yaml no-file', 'pipe/job.yaml no-file']);
  });
});

describe('what is in a job folder', () => {
  it('a folder of more than 50 MB is refused and its largest file named; tools leave what they like', async () => {
    const folder = await here.write('big');
    await mkdir(join(folder, '.venv'));
    await writeFile(join(folder, '.venv', 'lib'), '');
    await truncate(join(folder, '.venv', 'lib'), 60_000_000);
    expect(await here.found()).toEqual([]);
    await writeFile(join(folder, 'export.csv'), '');
    await truncate(join(folder, 'export.csv'), 50_000_001);
    const { problems } = await checkJobs(here.jobs);
    expect(problems).toMatchObject([{ code: 'too-large', hint: expect.stringContaining('export.csv') }]);
  });

  it.each([
    ['run: { command: [python, main.py] }', []],
    ['run: { command: [python3, ./main.py, other.py] }', []],
    ['run: { command: [python, -u, main.py] }', []],
    ['run: { command: [python, -m, package.py] }', ['job/job.yaml host-package']],
    ['run: { command: [bash, gone.py] }', ['job/job.yaml missing-script']],
    ['run: { command: [python, mian.py] }', ['job/job.yaml missing-script']],
    ['run: { command: [python, /home/dana/main.py] }', ['job/job.yaml unsafe-path']],
    ['run: { command: [python, "C:\\\\Users\\\\dana\\\\main.py"] }', ['job/job.yaml unsafe-path']],
  ])('%s finds its script or says so', async (more, expected) => {
    await here.write('job', more, { 'README.md': '#', 'main.py': '' });
    expect(await here.found()).toEqual(expected);
  });

  it.each([
    ['[project]\nname = "x"\ndependencies = []\n', []],
    ['[project]\nname = "x"\n# dependencies = ["requests"]\n', []],
    ['[tool.other]\ndependencies = ["requests"]\n', []],
    ['[project]\ndependencies = ["requests"]\n', ['job/pyproject.toml missing-lock']],
    ['[project]\ndependencies = [\n  # why\n  "requests",\n]\n', ['job/pyproject.toml missing-lock']],
    ['[tool.poetry.dependencies]\npython = "^3.12"\nrequests = "*"\n', ['job/pyproject.toml missing-lock']],
  ])('dependencies need a lock: %j', async (text, expected) => {
    await here.write('job', echo, { 'README.md': '#', 'pyproject.toml': text });
    expect(await here.found()).toEqual(expected);
    await writeFile(join(here.jobs, 'job', 'uv.lock'), '');
    expect(await here.found()).toEqual([]);
  });

  it('a job in production has a README, in whatever case; one in development need not', async () => {
    await here.write('described', echo, { 'readme.md': '' });
    await here.write('young', `${echo}status: development\n`, {});
    await here.write('bare', echo, {});
    expect(await here.found()).toEqual(['bare/README.md missing-readme']);
  });
});

describe('jobs that need each other', () => {
  it('take inputs from outputs that are declared, even by a job that is broken otherwise', async () => {
    await here.write('pull', 'run: { command: [echo], timeout: soon }\noutputs: [a.csv]\n');
    await here.write('score', `${echo}inputs: [pull/a.csv]\n`);
    await here.write('push', `${echo}inputs: [pull/b.csv, scroe/a.csv]\n`);
    expect(await here.found()).toEqual([
      'pull/job.yaml duration',
      'push/job.yaml unknown-output',
      'push/job.yaml unknown-job',
    ]);
  });

  it('are not accused when the other manifest cannot be read at all', async () => {
    await here.write('pull', 'run: [');
    await here.write('score', `${echo}inputs: [pull/a.csv]\n`);
    expect(await here.found()).toEqual(['pull/job.yaml yaml-syntax']);
  });

  it('must not wait for each other in a circle', async () => {
    await here.write('a', `${echo}inputs: [c/x.csv]\noutputs: [x.csv]\n`);
    await here.write('b', `${echo}inputs: [a/x.csv]\noutputs: [x.csv]\n`);
    await here.write('c', `${echo}inputs: [b/x.csv]\noutputs: [x.csv]\n`);
    await here.write('after', `${echo}inputs: [c/x.csv]\n`);
    expect(await here.found()).toEqual(['a', 'b', 'c'].map((name) => `${name}/job.yaml input-cycle`));
  });

  it('with names that look alike each get a problem that names the others', async () => {
    for (const name of ['sales', 'sa1es', 's-ales', 'other']) await here.write(name);
    const { problems, jobs: read } = await checkJobs(here.jobs);
    expect(problems.map(({ code }) => code)).toEqual(Array(3).fill('look-alike-names'));
    expect(problems.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('looks like "s-ales" and "sales"'),
    );
    expect(read.map(({ name }) => name)).toEqual(['other']);
  });
});
