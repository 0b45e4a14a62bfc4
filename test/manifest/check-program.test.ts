import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkJobs } from '../../shared/manifest/check.ts';
import { commandsOf } from '../support/cli/command.ts';
import { jobsFolder } from '../support/cli/jobs.ts';

/** Whether what a command is to run is there, and can run. */

const here = jobsFolder();

const { problemsOf, said } = commandsOf(here);

describe('what python is to run', () => {
  it.each([
    [['python'], 'run.command missing-script', /would end at once, as a success.*write \[python, main.py\]/],
    [['python3', '-u'], 'run.command missing-script', /write \[python3, main.py\]/],
    [['python', '-W', 'ignore'], 'run.command missing-script', /write \[python, main.py\]/],
    [['python', '-'], 'run.command[1] missing-script', /as a success/],
    [['python', '-c'], 'run.command[1] missing-script', /has nothing after it/],
    [['python', '-Bm'], 'run.command[1] missing-script', /has nothing after it/],
    [['python', 'mian'], 'run.command[1] missing-script', /did you mean main.py/],
    [['python', '"main.py"'], 'run.command[1] missing-script', /did you mean main.py/],
    [['python', 'main.py '], 'run.command[1] missing-script', /did you mean main.py/],
    [['python', '-u', '-X', 'dev', '-Wignore', 'mian.py'], 'run.command[5] missing-script', /did you mean main.py/],
    [['python', '--', 'mian.py'], 'run.command[2] missing-script', /did you mean main.py/],
    [['python', '-mmian'], 'run.command[1] missing-module', /did you mean main\?/],
    [['python', 'sales.ipynb'], 'run.command[1] notebook', /nbconvert --to script sales.ipynb, and write sales.py/],
    [['bash'], 'run.command missing-script', /runs nothing/],
    [['bash', '-c'], 'run.command missing-script', /runs nothing/],
    [['sh', '-s', 'main.py'], 'run.command missing-script', /standard input is empty/],
    [['bash', '-eo', 'pipefail'], 'run.command missing-script', /runs nothing/],
    [['/bin/sh', 'gone.sh'], 'run.command[1] missing-script', /did you mean go.sh/],
  ])('%j is not there', async (command, expected, text) => {
    const problems = await problemsOf(command, { 'sales.ipynb': '{}', 'go.sh': 'echo\n' });
    expect(problems.map((one) => one.said)).toEqual([expected]);
    expect(problems[0]?.text).toMatch(text);
  });

  it.each([
    [['python', 'main.py']],
    [['python', '-u', '-X', 'dev', '-W', 'ignore', './main.py', 'other.py']],
    [['python', '--check-hash-based-pycs', 'never', 'main.py']],
    [['python', '-cprint(1)']],
    [['python', '-V']],
    [['python', '--version']],
    [['python', 'app']],
    [['python', 'app/']],
    [['python', 'app.pyz']],
    [['python', 'script']],
    [['bash', '-o', 'pipefail', 'go.sh']],
    [['bash', '-euo', 'pipefail', '-c', 'echo ok']],
    [['env', 'A=1', 'python', 'main.py']],
    [['timeout', '60', 'python', 'main.py']],
  ])('%j is', async (command) => {
    const files = { 'app/__main__.py': '', 'app.pyz': '', script: 'print(1)\n', 'go.sh': 'echo\n' };
    expect(await said(command, files)).toEqual([]);
  });
});

it('an empty word is one problem', async () => {
  expect(await said(['python', ''])).toEqual(['run.command[1] out-of-range']);
  expect(await said([''])).toEqual(['run.command[0] out-of-range']);
});

describe('a program that not every machine has', () => {
  it.each([
    [['poetry', 'run', 'python', 'main.py'], /packages of a job come from its uv.lock.*write \[python, …\]/],
    [['uv', 'run', 'main.py'], /uv lock/],
    [['node', 'main.js'], /runs only where the machine has it/],
    [['sudo', 'python', 'main.py'], /a job has no root rights \| delete sudo/],
    [['python2.7', 'main.py'], /write python3$/],
    [['pip', 'install', 'pandas'], /uv add/],
    [['pip3', 'install', '-r', 'requirements.txt'], /uv add/],
    [['streamlit', 'run', 'main.py'], /docs\/containers.md/],
  ])('%j is a warning', async (command, text) => {
    const problems = await problemsOf(command);
    expect(problems.map((one) => one.said)).toEqual(['run.command[0] host-program warning']);
    expect(problems[0]?.text).toMatch(text);
    expect((await checkJobs(here.jobs)).jobs.map(({ name }) => name)).toEqual(['job']);
  });

  it('may be of a package of uv.lock', async () => {
    expect(await said(['streamlit', 'run', 'main.py'], { 'uv.lock': '', 'pyproject.toml': '' })).toEqual([]);
  });
});

describe('python -m', () => {
  it.each([
    [['python', '-m', 'mian'], ['run.command[2] missing-module'], /did you mean main\?/],
    [['python', '-u', '-Bm', 'mian'], ['run.command[3] missing-module'], /did you mean main\?/],
    [['python', '-m', 'pkg.mian'], ['run.command[2] missing-module'], /did you mean pkg.main\?/],
    [['python', '-m', 'pkg'], ['run.command[2] missing-module'], /add pkg\/__main__.py|did you mean/],
    [['python', '-m', 'main.py'], ['run.command[2] missing-module'], /leave -m out, or write main/],
    [['python', '-m', 'main'], [], undefined],
    [['python', '-m', 'pkg.main'], [], undefined],
    [['python', '-m', 'whole'], [], undefined],
    [['python', '-m', 'http.server'], [], undefined],
    [['python', '-m', 'streamlit', 'run'], ['run.command[2] host-package warning'], /uv add streamlit/],
  ])('%j', async (command, expected, text) => {
    const problems = await problemsOf(command, { 'pkg/main.py': '', 'pkg/__init__.py': '', 'whole/__main__.py': '' });
    expect(problems.map((one) => one.said)).toEqual(expected);
    if (text) expect(problems[0]?.text).toMatch(text);
  });

  it('of a package that uv.lock brings is taken on trust', async () => {
    expect(await said(['python', '-m', 'streamlit'], { 'uv.lock': '', 'pyproject.toml': '' })).toEqual([]);
  });
});

describe('files that take the place of modules of Python', () => {
  it.each([
    ['email.py', 'import urllib\n', ['email.py shadows-library']],
    ['email.py', 'import urllib.request\nfrom http import client\n', ['email.py shadows-library']],
    ['email.py', 'import email\n', ['email.py shadows-library']],
    ['email.py', 'print(1)\n', []],
    ['email.py', 'import sys, time\n', []],
    ['time.py', 'import urllib.request\n', []],
    ['score.py', 'import urllib.request\n', []],
    ['pandas.py', 'import pandas\n', ['pandas.py shadows-library']],
    ['sys.py', 'import sys\n', []],
  ])('the script %s with %j', async (script, text, expected) => {
    expect(await said(['python', script], { [script]: text })).toEqual(expected);
  });

  it.each([
    ['queue.py', 'import concurrent.futures\n', ['queue.py shadows-library']],
    ['types/__init__.py', 'import dataclasses\n', ['types shadows-library']],
    ['random.py', 'import helper\n', ['random.py shadows-library']],
    ['queue.py', 'import queue\n', ['queue.py shadows-library warning']],
    ['sub/queue.py', 'import concurrent.futures\n', []],
    ['queue.py', '"""\nimport concurrent.futures\n"""\n', []],
  ])('%s beside a script with %j', async (file, text, expected) => {
    expect(
      await said(['python', 'main.py'], { 'main.py': text, 'helper.py': 'import tempfile\n', [file]: '' }),
    ).toEqual(expected);
  });

  it('say which name to take', async () => {
    const [problem] = await problemsOf(['python', 'email.py'], { 'email.py': 'import urllib\n' });
    expect(problem?.text).toMatch(/place of Python's own module email, which urllib needs.*email_job.py/);
  });
});

describe('packages that only one machine has', () => {
  it('are warnings where the script and what it imports need them, and nothing else is', async () => {
    const files = {
      'main.py':
        'import pandas as pd, os\nimport rows\ntry:\n    import ujson\nexcept ImportError:\n    ujson = None\n',
      'rows.py': 'from openpyxl import Workbook\nimport pandas\n',
      'tests/test_main.py': 'import pytest\n',
      'notebook.py': 'import jupyter\n',
    };
    expect(await said(['python', 'main.py'], files)).toEqual([
      'main.py:1 host-package warning',
      'rows.py:1 host-package warning',
    ]);
    const { jobs } = await checkJobs(here.jobs);
    expect(jobs.map(({ name }) => name)).toEqual(['job']);
    expect(await said(['python', 'main.py'], { ...files, 'uv.lock': '' })).toEqual([]);
  });
});

describe('programs of the folder', () => {
  const bash = '#!/bin/bash\necho hello\n';
  it.each([
    [['./run.sh'], { 'run.sh': bash }, 0o755, []],
    [['./run.sh'], { 'run.sh': bash }, 0o644, ['run.command[0] not-executable']],
    [['./run.sh'], { 'run.sh': bash.replaceAll('\n', '\r\n') }, 0o755, ['run.command[0] windows-line-ends']],
    [['./run.sh'], { 'run.sh': `\ufeff${bash}` }, 0o755, ['run.command[0] byte-order-mark']],
    [['./run.sh'], { 'run.sh': 'echo hello\n' }, 0o755, ['run.command[0] no-shebang']],
    [['./run.sh'], { 'run.sh': Buffer.from(`\ufeff${bash}`, 'utf16le') }, 0o755, ['run.command[0] not-utf8']],
    [['./rnu.sh'], { 'run.sh': bash }, 0o755, ['run.command[0] missing-script']],
    [['run.sh'], { 'run.sh': bash }, 0o755, ['run.command[0] not-on-path']],
    [['bash', 'run.sh'], { 'run.sh': bash }, 0o644, []],
    [['bash', 'run.sh'], { 'run.sh': 'echo a\r\necho b\r\n' }, 0o644, ['run.command[1] windows-line-ends']],
    [['bash', '-c', 'run.sh'], { 'run.sh': 'echo a\r\n' }, 0o644, []],
    [['python', 'main.py'], { 'main.py': 'print(1)\r\n' }, 0o644, []],
    [
      ['python', 'main.py'],
      { 'main.py': Buffer.from('\ufeffprint(1)\r\n', 'utf16le') },
      0o644,
      ['run.command[1] not-utf8'],
    ],
    [['python', 'main.py'], { 'main.py': Buffer.from('print(1)\n', 'utf16le') }, 0o644, ['run.command[1] not-utf8']],
    [['python', 'main.py'], { 'main.py': '\ufeffprint(1)\n' }, 0o644, []],
    [
      ['python', 'main.py'],
      { 'pyproject.toml': Buffer.from('\ufeff[project]', 'utf16le') },
      0o644,
      ['pyproject.toml not-utf8'],
    ],
  ])('%j with %j of mode %o', async (command, files, mode, expected) => {
    await problemsOf(command, files);
    for (const name of Object.keys(files)) await chmod(join(here.jobs, 'job', name), mode);
    const { problems } = await checkJobs(here.jobs);
    const found = problems.map(({ path, file, code }) => `${path ?? file.slice(here.jobs.length + 5)} ${code}`);
    expect(found).toEqual(expected);
  });
});
