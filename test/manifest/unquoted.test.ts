import { describe, expect, it } from 'vitest';
import { read } from '../support/cli/manifest.ts';

/** Place, code and hint of the first problem of a text. */
function first(text: string) {
  const [problem] = read(text).problems;
  return problem && [`${problem.line}:${problem.column}`, problem.code, problem.hint];
}

describe('a schedule without quotes', () => {
  it.each([
    ['schedule:\n  cron: * * * * *\n  timeZone: UTC\n', '2:9', 'write cron: "* * * * *"'],
    ['schedule:\n  cron: */5 * * * *\n', '2:9', 'write cron: "*/5 * * * *"'],
    ['schedule:\n  cron: */5 * * * *   # often\n', '2:9', 'write cron: "*/5 * * * *"'],
    ['schedule: { cron: */5 * * * *, timeZone: UTC }\n', '1:19', 'write cron: "*/5 * * * *"'],
    ['schedule: { timeZone: UTC, cron: * * * * 1,2 }\n', '1:34', 'write cron: "* * * * 1,2"'],
    ['schedule:\n  - cron: * 7 * * *\n    timeZone: UTC\n', '2:11', 'write cron: "* 7 * * *"'],
    ['schedule:\n  cron: @daily\n', '2:9', 'write cron: "@daily"'],
    ['schedule:\r\n  cron: * * * * *\r\n', '2:9', 'write cron: "* * * * *"'],
    ['outputs:\n  - @out.csv\n', '2:5', 'write - "@out.csv"'],
    ['env:\n  A: `x`\n', '2:6', 'write A: "`x`"'],
  ])('%j gets a hint to use quotes, at its place', (text, place, hint) => {
    expect(first(text)).toEqual([place, 'unquoted', hint]);
  });

  it('that is a pattern of files gets the same hint', () => {
    expect(first('outputs: [*.csv]\n')).toEqual(['1:11', 'alias', expect.stringContaining('write "*.csv"')]);
  });

  it('with what looks like a secret in it is not repeated', () => {
    const problems = JSON.stringify(read('env:\n  A: @ghp_0123456789abcdefghij\n').problems);
    expect(problems).not.toContain('ghp_0123456789');
  });
});

describe('a # after a schedule', () => {
  const cronOf = (schedule: string) =>
    read(schedule).problems.flatMap(({ path, code, severity, hint }) =>
      path?.endsWith('cron') ? [[path, code, severity, hint]] : [],
    );

  it.each([
    ['schedule:\n  cron: 0 7 * * MON #1\n  timeZone: UTC\n', 'schedule.cron', '0 7 * * MON#1'],
    ['schedule:\n  - cron: 0 7 * * MON\n  - cron: 0 7 * * 2 #3\n', 'schedule[1].cron', '0 7 * * 2#3'],
  ])('%j is a warning, since YAML drops it', (text, path, cron) => {
    expect(cronOf(text)).toEqual([
      [path, 'schedule-comment', 'warning', expect.stringContaining(`write "${cron}" in`)],
    ]);
  });

  it.each([
    'schedule:\n  cron: 0 7 * * MON # 1st\n',
    'schedule:\n  cron: 0 7 * * MON #first\n',
    'schedule:\n  cron: 0 7 * * MON#1\n',
    'schedule:\n  cron: "0 7 * * MON#1" #1\n',
    'schedule:\n  cron: 0 7 * * MON\n  #1\n',
  ])('%j is a comment, or is read', (text) => {
    expect(cronOf(text)).toEqual([]);
  });
});

describe('a colon without a blank after it', () => {
  it.each([
    ['data: internal\ntier:standard\nstatus: production\n', '2:1', 'yaml-syntax', 'tier'],
    ['data: internal\r\ntier:standard\r\n', '2:1', 'yaml-syntax', 'tier'],
    ['run:\n  command:[python, main.py]\n  cpu: 1\n', '2:3', 'yaml-syntax', 'command'],
    ['run:\n  cpu: 1\n  timeout:5m\n', '3:3', 'yaml-syntax', 'timeout'],
    ['tier:standard\ndata:internal\n', '1:1', 'not-a-mapping', 'tier'],
  ])('%j is said to be so, at its place', (text, place, code, key) => {
    expect(first(text)).toEqual([place, code, `write a blank after the colon: ${key}: …`]);
  });

  it('does not show what may be secret', () => {
    const { problems } = read('data: internal\npassword:hunter2\ntier: standard\n');
    expect(problems[0]?.message).toBe('"password:" has no blank after its colon; expected one before the value');
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('is not meant by an address, or by a line that was not finished', () => {
    expect(first('data: internal\nhttps://x.example\ntier: standard\n')?.[2]).not.toMatch(/colon:/);
    expect(first('data: internal\ntier\nstatus: production\n')?.[2]).toBe('write key: value on one line');
  });
});

it('no hint speaks of an example that is not there', () => {
  const text =
    'description: x\nowner: { email: dana, department: "" }\ntier: 7\ndata: []\nrun: { command: [], memory: 1 }\nsecrets: { A: [b] }\nmetrics: { a: { min: x } }\nalerts: { teams: "A B" }\nschedule: { cron: 5, mustFinishBy: 7 }\n';
  const { problems } = read(text);
  expect(problems.length).toBeGreaterThan(8);
  for (const { hint, message } of problems) expect(hint, message).not.toMatch(/like the example/);
  expect(problems.find(({ path }) => path === 'owner.email')?.hint).toBe('write for example dana@contoso.com');
});
