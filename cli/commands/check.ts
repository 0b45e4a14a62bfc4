import { join } from 'node:path';
import type { Job } from '../../shared/job/job.ts';
import { checkJobs } from '../../shared/manifest/check.ts';
import { isError, type Problem, problemText } from '../../shared/manifest/problem.ts';
import { alertProblems } from '../host/alerts.ts';
import { brokenJobs, problemCount } from '../host/folder.ts';
import { type IsolationFlags, isolationOf } from '../isolation.ts';
import { count } from '../words.ts';

export interface CheckFlags extends IsolationFlags {
  /** What Azure would refuse, as well. */
  azure?: boolean;
  json?: boolean;
}

/** `lamp check`: every problem of every job; exit code 1 when one keeps its job from running. */
export async function check(folder: string, flags: CheckFlags = {}): Promise<{ text: string; exitCode: 0 | 1 }> {
  const { jobs, problems: found } = await checkJobs(folder, { isolation: isolationOf(flags) });
  const problems = [
    ...found,
    ...(await alertProblems(folder, jobs)),
    ...(flags.azure ? await azureProblems(folder, jobs) : []),
  ];
  const exitCode = problems.some(isError) ? 1 : 0;
  const names = jobs.map(({ name }) => name);
  if (flags.json) return { text: JSON.stringify({ jobs: names, problems }, null, 2), exitCode };
  const all = new Set([...names, ...brokenJobs(folder, problems)]);
  const summary = `${count(all.size, 'job')}, ${problemCount(problems)}`;
  return { text: [...problems.map(problemText), summary].join('\n'), exitCode };
}

/** With the canary, which is deployed beside the jobs. */
async function azureProblems(folder: string, jobs: readonly Job[]): Promise<Problem[]> {
  const [{ inAzure, limitsOf }, { canary }] = await Promise.all([
    import('../deploy/limits.ts'),
    import('../deploy/canary.ts'),
  ]);
  return limitsOf('lamp', inAzure([...jobs, (await canary()).job])).map(({ job, text, near }) => ({
    file: job ? join(job.folder, 'job.yaml') : folder,
    code: 'azure',
    message: text,
    ...(near && { severity: 'warning' as const }),
  }));
}
