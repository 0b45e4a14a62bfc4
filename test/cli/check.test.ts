import { describe, expect, it } from 'vitest';
import { check } from '../../cli/commands/check.ts';
import { jobsFolder } from '../support/cli/jobs.ts';

const here = jobsFolder();

describe('lamp check', () => {
  it('ends with 0 when there are only warnings, and counts them apart', async () => {
    await here.write('score', 'run: { command: [python, main.py] }\n', {
      'README.md': '#',
      'main.py': 'import pandas\n',
    });
    const { text, exitCode } = await check(here.jobs);
    expect(exitCode).toBe(0);
    expect(text).toMatch(/score\/main.py:1:1 {2}warning: imports pandas/);
    expect(text).toMatch(/1 job, 0 problems and 1 warning$/);
    const json = JSON.parse((await check(here.jobs, { json: true })).text);
    expect(json).toMatchObject({ jobs: ['score'], problems: [{ code: 'host-package', severity: 'warning', line: 1 }] });
  });

  it('ends with 1 for a problem, whatever else there is', async () => {
    await here.write('score', 'run: { command: [python, mian.py] }\n', {
      'README.md': '#',
      'main.py': 'import pandas\n',
    });
    expect(await check(here.jobs)).toMatchObject({ exitCode: 1, text: expect.stringMatching(/1 job, 1 problem$/) });
  });

  it('judges as a host does that is started with --executor docker', async () => {
    await here.write('score', 'run: { command: [echo], executor: process }\n');
    expect((await check(here.jobs)).exitCode).toBe(0);
    expect((await check(here.jobs, { executor: 'process' })).exitCode).toBe(0);
    const refused = await check(here.jobs, { executor: 'docker' });
    expect(refused).toMatchObject({ exitCode: 1, text: expect.stringContaining('--allow-process score') });
    expect((await check(here.jobs, { executor: 'docker', allowProcess: ['score'] })).exitCode).toBe(0);
  });
});
