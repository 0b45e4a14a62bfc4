import { checkJobs } from '../../shared/manifest/check.ts';
import { problemText } from '../../shared/manifest/problem.ts';
import { brokenJobs } from '../host/folder.ts';

/** `lamp check`: every problem of every job; exit code 1 when there is one. */
export async function check(
  folder: string,
  options: { json?: boolean } = {},
): Promise<{ text: string; exitCode: 0 | 1 }> {
  const { jobs, problems } = await checkJobs(folder);
  const exitCode = problems.length > 0 ? 1 : 0;
  if (options.json)
    return { text: JSON.stringify({ jobs: jobs.map(({ name }) => name), problems }, null, 2), exitCode };
  const names = new Set(jobs.map(({ name }) => name));
  for (const name of brokenJobs(folder, problems)) names.add(name);
  const summary = `${count(names.size, 'job')}, ${count(problems.length, 'problem')}`;
  return { text: [...problems.map(problemText), summary].join('\n'), exitCode };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
