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
