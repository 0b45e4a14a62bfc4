import { chmod, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkJobs } from '../../shared/manifest/check.ts';
import { scaffold } from '../../shared/manifest/scaffold.ts';
import { commandsOf } from '../support/cli/command.ts';
import { jobsFolder } from '../support/cli/jobs.ts';

const here = jobsFolder();

const { problemsOf, said } = commandsOf(here);

describe('a command that only a shell would understand', () => {
  it.each([
    [['python', 'main.py', '&&', 'python', 'other.py'], 2, /\[sh, -ec, "python main.py && python other.py"\]/],
    [['python', 'main.py', '||', 'true'], 2, /sh, -c/],
    [['python', 'main.py;', 'python', 'other.py'], 1, /two jobs/],
    [['python', 'main.py', ';'], 2, /sh, -ec/],
    [['nohup', 'python', 'main.py', '&'], 3, /\| delete it \(and nohup\): the service waits for the job$/],
    [['python', 'main.py', '&', 'python', 'other.py'], 2, /\| call both from one script, or make two jobs/],
    [['cd', 'src', ';', 'nohup', 'python', 'main.py', '&'], 0, /\[sh, -ec, "cd src; python main.py"\]/],
    [['python', 'main.py', 'a b', '|', 'sort'], 3, /write \[bash, -eo, pipefail, -c, "python main.py 'a b' \| sort"\]/],
    [['python', 'main.py', '>', 'out.txt'], 2, /the log keeps what is printed/],
    [['python', 'main.py', '>>out.txt'], 2, /redirects output/],
    [['python', 'main.py', '2>err.txt'], 2, /redirects output/],
    [['python', 'main.py', '&>', 'all.txt'], 2, /redirects output/],
    [['python', 'main.py', '2>&1'], 2, /delete it: the log keeps standard output and standard error/],
    [['python', 'main.py', '>&2'], 2, /redirects output/],
    [['python', 'main.py', '<', 'in.csv'], 2, /redirects input/],
    [['python', 'main.py', '<in.csv'], 2, /redirects input/],
    [['python', 'main.py', '~/crm.csv'], 2, /inside of the job's folder/],
    [['python', 'main.py', '--out=~/crm.csv'], 2, /home folder/],
    [['python', 'main.py', '$HOME/crm.csv'], 2, /os.environ\["HOME"\]/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as people write it for a shell
    [['python', 'main.py', '--day=${DAY}'], 2, /os.environ\["DAY"\]/],
    [['python', 'main.py', '%USERPROFILE%'], 2, /variable of Windows/],
    [['python', 'main.py', '`date +%F`'], 2, /command to run first/],
    [['python', 'main.py', '$(date +%F)'], 2, /command to run first/],
    [['python', 'main.py', 'data/*.csv'], 2, /pathlib/],
    [['python', 'main.py', 'data/2026-??.csv'], 2, /pattern of file names/],
    [['python', 'main.py', 'out.{csv,json}'], 2, /pattern of file names/],
    [['DAY=1', 'python', 'main.py'], 0, /env: \{ DAY: "1" \}/],
    [['cd', 'src', '&&', 'python', 'main.py'], 0, /starts in the job's folder/],
    [['source', 'venv/bin/activate'], 0, /command of a shell/],
  ])('%j says so at its word, and what to write', async (command, index, text) => {
    const problems = await problemsOf(command, { 'other.py': '' });
    expect(problems.map((one) => one.said)).toContain(`run.command[${index}] shell-syntax`);
    expect(problems.map((one) => one.text).join('\n')).toMatch(text);
    expect(problems.map((one) => one.said)).not.toContain(`run.command[${index}] shell-syntax warning`);
  });

  it.each([
    [['sh', '-c', 'cd data && python main.py > out.txt 2>&1; echo $HOME ~ *.csv']],
    [['bash', '-ec', 'python "$1" | sort', 'x', 'main.py']],
    [['bash', '-c', '-e', 'python main.py']],
    [['sh', '-c', 'python main.py "$@"', 'sh', '--fast']],
    [['sh', '-c', 'echo $0', 'x']],
    [['sh', '-c', 'for x; do echo $x; done', 'sh', 'a']],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as people write it for a shell
    [['bash', '-eo', 'pipefail', '-c', 'python main.py ${1} | tee out.txt', 'bash', 'a']],
    [['/bin/bash', '-lc', 'echo `date`']],
    [['python', '-c', 'import os; print(os.environ["HOME"]) and f"{1, 2}"']],
    [['python', 'main.py', '--where', 'a > b']],
    [['python', 'main.py', '--price', '100$', 'a;b', 'x|y', 'what?', 'R&D', '5>3', 'a=b&c=d', '<b>']],
    [['python', 'main.py', 'https://crm.contoso.com/?a=1&b=2', 'user@contoso.com', '{"a": 1}', '[1, 2]']],
    [['python', 'main.py', '--regex', '^a.*b$', '-x', '--', '-']],
    [['jq', '.items[0].name', 'x.json']],
    [['uvx', 'tool[extra]', '[0-9]{1,3}', '{{name}}', 'vacuum;']],
    [['/opt/my tools/score', '--fast']],
    [['./my tool.sh']],
    [['sqlite3', 'x.db', 'select * from t where a > 1;']],
  ])('%j is fine', async (command) => {
    const tool = { 'my tool.sh': '#!/bin/sh\n' };
    await problemsOf(command, tool);
    await chmod(join(here.jobs, 'job', 'my tool.sh'), 0o755);
    const { problems } = await checkJobs(here.jobs);
    expect(problems.filter(({ code }) => code !== 'host-program')).toEqual([]);
  });

  it('a pattern after a flag may be meant for the program: a warning', async () => {
    expect(await said(['python', 'main.py', '--include', '*.csv', '--exclude=*.tmp'])).toEqual([
      'run.command[3] shell-syntax warning',
      'run.command[4] shell-syntax warning',
    ]);
    expect((await checkJobs(here.jobs)).jobs.map(({ name }) => name)).toEqual(['job']);
  });

  it('is looked for in the arguments of schedules too', async () => {
    const schedule = 'schedule: [{ cron: "0 7 * * *", args: ["$DAY"] }, { cron: "1 7 * * *", args: [ok, ">"] }]\n';
    expect(await said(['python', 'main.py'], {}, schedule)).toEqual([
      'schedule[0].args[0] shell-syntax',
      'schedule[1].args[1] shell-syntax',
    ]);
  });
});

describe('a command that was typed in another program', () => {
  it.each([
    [['python', '“main.py”'], 'run.command[1] typographic', /write main.py/],
    [['python', 'main.py', '‘a b’'], 'run.command[2] typographic', /write "a b"/],
    [['python', 'main.py', '«x»'], 'run.command[2] typographic', /write x/],
    [['“python', 'main.py”'], 'run.command[0] typographic', /write python/],
    [['python', 'main.py', '–fast'], 'run.command[2] typographic', /write --fast/],
    [['python', 'main.py', '—fast'], 'run.command[2] typographic', /write --fast/],
    [['python main.py'], 'run.command[0] one-word', /write \[python, main.py\]/],
    [['/usr/bin/python3 main.py'], 'run.command[0] one-word', /write \[\/usr\/bin\/python3, main.py\]/],
    [['python main.py', '--fast'], 'run.command[0] one-word', /write \[python, main.py, --fast\]/],
    [['python -u main.py 7'], 'run.command[0] one-word', /write \[python, -u, main.py, "7"\]/],
    [['py', 'main.py'], 'run.command[0] windows-program', /write python/],
    [['python.exe', 'main.py'], 'run.command[0] windows-program', /write python/],
    [['C:\\Python312\\python.exe', 'main.py'], 'run.command[0] windows-program', /write python/],
    [['cmd', '/c', 'run.bat'], 'run.command[0] windows-program', /one of Linux/],
    [['powershell', '-File', 'run.ps1'], 'run.command[0] windows-program', /one of Linux/],
    [['run.bat'], 'run.command[0] windows-program', /do in the script what it does/],
    [['Python', 'main.py'], 'run.command[0] unknown-program', /small letters.*write python$/],
    [['Python3', 'main.py'], 'run.command[0] unknown-program', /small letters.*write python$/],
    [['python2', 'main.py'], 'run.command[0] unknown-program', /is not in the image of jobs; .*write python3$/],
    [["bash -c 'python main.py'"], 'run.command[0] one-word', /write \[bash, -c, "python main.py"\]/],
    [['python main.py && echo ok'], 'run.command[0] one-word', /write \[sh, -ec, "python main.py && echo ok"\]/],
  ])('%j', async (command, expected, text) => {
    const problems = await problemsOf(command);
    expect(problems.map((one) => one.said)).toContain(expected);
    expect(problems.map((one) => one.text).join('\n')).toMatch(text);
  });

  it('may have an apostrophe or a dash inside of a word', async () => {
    expect(await said(['python', 'main.py', 'Dana’s list', 'James’', 'a–b', '“Sales” report', '5′ 10″'])).toEqual([]);
  });
});

describe('a new job', () => {
  it.each([
    'email',
    'calendar',
    'code',
    'http',
    'types',
  ])('called %s has a script that takes no place of a module', async (name) => {
    const files = await scaffold(here.jobs, name);
    expect(files).toContain(join(here.jobs, name, `${name}_job.py`));
    expect(await here.found()).toEqual([]);
  });
});

it('the cases from the field are each said', async () => {
  const cases = {
    'shell-and': 'run: { command: [python, main.py, "&&", python, other.py], timeout: 1m, grace: 3s }\n',
  };
  for (const [name, more] of Object.entries(cases)) await here.write(name, more, { 'README.md': '#', 'main.py': '' });
  await cp(join(here.jobs, 'shell-and'), join(here.jobs, 'shell-two'), { recursive: true });
  expect(await here.found()).toEqual(['shell-and/job.yaml shell-syntax', 'shell-two/job.yaml shell-syntax']);
});
