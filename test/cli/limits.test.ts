import { join } from 'node:path';
import { expect, test } from 'vitest';
import { check } from '../../cli/commands/check.ts';
import { assignmentsOf, inAzure, indexLimit, limits, limitsOf } from '../../cli/deploy/limits.ts';
import { hour, second } from '../../shared/instant.ts';
import type { Job } from '../../shared/job/job.ts';
import { echo, jobsFolder } from '../support/cli/jobs.ts';
import { job } from '../support/pipeline/cast.ts';

const here = jobsFolder();

const many = (count: number, secrets: number): Job[] =>
  Array.from({ length: count }, (_, at) => ({
    ...job(`job-${at}`, {}),
    secrets: Object.fromEntries(Array.from({ length: secrets }, (_, n) => [`SECRET_${n}`, `secret-${at}-${n}`])),
  }));
const said = (jobs: Job[]) => limitsOf('lamp', jobs).map(({ text, near }) => `${near ? 'near' : 'over'} ${text}`);

test('500 jobs with three secrets each fit, and what they take is counted', () => {
  expect(assignmentsOf(many(500, 3))).toBe(2_012);
  expect(said(many(500, 3))).toEqual([]);
});

test('a limit that is near is a warning, one that is passed is refused, with what to do', () => {
  expect(said(many(600, 4))).toEqual([
    expect.stringMatching(
      /^near the jobs take 3,012 role assignments of the subscription, and Azure has 4,000: deploy some/,
    ),
    expect.stringMatching(/^near the jobs take 603 identities of the resource group, and Azure has 800/),
  ]);
  expect(said(many(798, 5)).map((one) => one.slice(0, 33))).toEqual(
    ['over the jobs take 4,800 role assi', 'over the jobs take 801 identities '].map((one) => one.slice(0, 33)),
  );
  // The same secret in two variables is one right.
  const [twice] = many(1, 0);
  expect(assignmentsOf([{ ...(twice as Job), secrets: { A: 'Key', B: 'key' } }])).toBe(14);
});

test('jobs that are over or run elsewhere take nothing', () => {
  const [one, two, three] = many(3, 1) as [Job, Job, Job];
  expect(inAzure([one, { ...two, status: 'decommissioned' }, { ...three, external: true }])).toEqual([one]);
});

test('a job that is too large, too slow to stop or of the same name is named', () => {
  const [one] = many(1, 0) as [Job];
  const long = 'a-name-so-long-that-it-is-cut-by-azure-rules';
  expect(said([{ ...one, cpu: 8 }])).toEqual([expect.stringContaining('at most 4 cpu and 8 Gi')]);
  expect(said([{ ...one, graceMs: 45 * second }])).toEqual([expect.stringContaining('run.grace 45s')]);
  expect(said([{ ...one, network: 'none', timeoutMs: hour }])).toEqual([expect.stringContaining('run.network')]);
  expect(
    said([
      { ...one, name: long },
      { ...one, name: long },
    ]),
  ).toEqual([expect.stringContaining('rename one')]);
});

test('a list of jobs that Bicep does not read is refused', () => {
  expect(indexLimit('x'.repeat(limits.indexCharacters))).toEqual([]);
  expect(indexLimit('x'.repeat(limits.indexCharacters + 1))).toMatchObject([{ near: false }]);
});

test('lamp check --azure names the job and its place, and lamp check alone does not look', async () => {
  await here.write('small');
  await here.write('slow', `${echo}`.replace('] }', '], timeout: 5m, grace: 45s }'));
  expect(await check(here.jobs)).toMatchObject({ exitCode: 0 });
  const { text, exitCode } = await check(here.jobs, { azure: true });
  expect(exitCode).toBe(1);
  expect(text).toContain(`${join(here.jobs, 'slow', 'job.yaml')}  run.grace 45s: a stop in Container Apps gives 30 s`);
  expect(text).not.toContain('small');
});
