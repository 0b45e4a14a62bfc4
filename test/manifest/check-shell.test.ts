import { describe, expect, it } from 'vitest';
import { commandsOf } from '../support/cli/command.ts';
import { jobsFolder } from '../support/cli/jobs.ts';

const { problemsOf, said } = commandsOf(jobsFolder());

describe('words that a shell is given and ignores', () => {
  it.each([
    [['bash', '-c', 'python', 'main.py'], 3, /write \[bash, -c, "python main.py"\]/],
    [['sh', '-c', 'python', 'main.py', 'a b'], 3, /write \[sh, -c, "python main.py 'a b'"\]/],
    [['bash', '-ec', 'python', 'main.py'], 3, /write \[bash, -ec, "python main.py"\]/],
    [['bash', '-c', '-e', 'python', 'main.py'], 4, /write \[bash, -c, -e, "python main.py"\]/],
    [['bash', '-eo', 'pipefail', '-c', 'python', '$HOME/x'], 5, /pipefail, -c, "python \$HOME\/x"\]/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as people write it for a shell
    [['sh', '-c', 'echo "${#HOME}"', 'main.py'], 3, /the one word after -c/],
    [['sh', '-c', 'python main.py "$@"', '--fast'], 3, /is \$0 there.*"\$@\\"", sh, --fast\]/],
  ])('%j', async (command, index, text) => {
    const problems = await problemsOf(command);
    expect(problems.map((one) => one.said)).toEqual([`run.command[${index}] ignored-word`]);
    expect(problems[0]?.text).toMatch(text);
  });

  it.each([
    [['bash', '-c', 'cd', 'data', '&&', 'python', 'main.py'], /\[bash, -ec, "cd data && python main.py"\]/],
    [['sh', '-c', 'true', '&&', 'python', 'main.py'], /\[sh, -ec, "true && python main.py"\]/],
  ])('%j', async (command, text) => {
    const problems = await problemsOf(command);
    expect(problems.map((one) => one.said)).toEqual(['run.command[3] ignored-word']);
    expect(problems[0]?.text).toMatch(text);
  });

  it('may come from schedules', async () => {
    const schedule = 'schedule: { cron: "0 7 * * *", args: [--region, north] }\n';
    expect(await said(['sh', '-c', 'python main.py'], {}, schedule)).toEqual(['schedule.args[0] ignored-word']);
    expect(await said(['sh', '-c', 'python main.py "$@"'], {}, schedule)).toEqual(['schedule.args[0] ignored-word']);
    expect(await said(['sh', '-c', 'python main.py "$@"', 'sh'], {}, schedule)).toEqual([]);
    expect(await said(['python', 'main.py'], {}, schedule)).toEqual([]);
  });

  it('are looked at as others are where the line reads them', async () => {
    expect(await said(['sh', '-c', 'python main.py "$@"', 'sh', '*.csv'])).toEqual(['run.command[4] shell-syntax']);
  });
});

describe('options of python', () => {
  it.each([
    [['python', '-i', 'main.py'], 1, /also when the script has failed.*\| delete it/],
    [['python', '-ui', 'main.py'], 1, /\| write -u$/],
    [['python', '-u', '-ic', 'print(1)'], 2, /\| write -c$/],
    [['python', '-i', '-m', 'main'], 1, /\| delete it/],
    [['python', '-V', 'main.py'], 1, /prints and ends/],
    [['python', '-h', 'main.py'], 1, /prints and ends/],
    [['python', '-?', 'main.py'], 1, /prints and ends/],
    [['python', '-B', '--version', 'main.py'], 2, /prints and ends/],
    [['python', '--fast', 'main.py'], 1, /no option of python.*come after it: \[python, main.py, --fast\]/],
    [['python', '-u', '--out', 'x', 'main.py', '7'], 2, /\[python, -u, main.py, --out, x, "7"\]/],
    [['python', '--fast'], 1, /\[python, main.py, --fast\]/],
    [['python', '-f', 'main.py'], 1, /\[python, main.py, -f\]/],
    [['python', '-im'], 1, /has nothing after it/],
  ])('%j is refused', async (command, index, text) => {
    const problems = await problemsOf(command);
    expect(problems.map((one) => one.said.split(' ')[0])).toEqual([`run.command[${index}]`]);
    expect(problems[0]?.text).toMatch(text);
  });

  it.each([
    [['python', '--help-all']],
    [['python', '-VV']],
    [['python', '-h']],
    [['python', 'main.py', '-i', '-V', '--fast']],
    [['python', '-bBdEIOPqRsStuvx', '-OO', '-Wi', '-X', 'importtime', 'main.py']],
    [['python', '-m', 'main', '-i']],
  ])('%j is fine', async (command) => {
    expect(await said(command)).toEqual([]);
  });
});

it('a shell is not given a script of Python', async () => {
  const files = { score: '#!/usr/bin/env python3\nprint(1)\n', 'go.sh': '#!/bin/sh\npython main.py\n' };
  expect(await problemsOf(['sh', 'main.py'])).toEqual([
    { said: 'run.command[1] not-a-shell', text: expect.stringMatching(/\| write \[python, main.py\]$/) },
  ]);
  expect(await said(['bash', '-e', './score', '7'], files)).toEqual(['run.command[2] not-a-shell']);
  expect(await said(['bash', 'go.sh'], files)).toEqual([]);
});

describe('programs that run another one are looked through', () => {
  it.each([
    [['timeout', '60', 'python', 'mian.py'], 3, /did you mean main.py/],
    [['timeout', '-s', 'INT', '--kill-after=5', '60', 'python', '-u', 'mian.py'], 7, /did you mean main.py/],
    [['/usr/bin/env', 'A=1', '-u', 'B', 'python', 'mian.py'], 5, /did you mean main.py/],
    [['nice', '-n', '5', 'python', 'mian.py'], 4, /did you mean main.py/],
    [['nice', '-10', 'nohup', 'stdbuf', '-oL', '--', 'python', 'mian.py'], 7, /did you mean main.py/],
    [['env', 'python', '-i', 'main.py'], 2, /prompt/],
    [['timeout', '60', 'sh', '-c', 'python', 'main.py'], 5, /\[timeout, "60", sh, -c, "python main.py"\]/],
    [['nice', 'sh', '-c', 'a', '|', 'b'], 4, /\[nice, bash, -eo, pipefail, -c, "a \| b"\]/],
    [['timeout', '60', 'sh', 'main.py'], 3, /written in Python/],
    [['nohup', './rnu.sh'], 1, /did you mean .\/run.sh/],
    [['timeout', '60', 'cd', 'src'], 2, /command of a shell/],
  ])('%j', async (command, index, text) => {
    const problems = await problemsOf(command, { 'run.sh': '#!/bin/sh\n' });
    expect(problems.map((one) => one.said.split(' ')[0])).toEqual([`run.command[${index}]`]);
    expect(problems[0]?.text).toMatch(text);
  });

  it('and keep their place in what to write', async () => {
    expect(await problemsOf(['timeout', '60', 'python'])).toEqual([
      { said: 'run.command missing-script', text: expect.stringMatching(/write \[timeout, "60", python, main.py\]/) },
    ]);
  });

  it.each([
    [['env', '-C', 'sub', 'python', 'mian.py']],
    [['env', '-S', 'python mian.py']],
    [['timeout', '--new', '60', 'python', 'mian.py']],
    [['nice']],
    [['env', 'A=1']],
    [['timeout', '60', 'sh', '-c', 'python main.py; echo $?']],
    [['nice', '-n', '5', 'python', 'main.py']],
  ])('%j is left alone', async (command) => {
    expect(await said(command)).toEqual([]);
  });
});
