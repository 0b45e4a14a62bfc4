import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkJobs } from '../../../shared/manifest/check.ts';
import type { JobsFolder } from './jobs.ts';

/** What `lamp check` says of a job with this command, these files beside its main.py, and this end of its manifest. */
export function commandsOf(here: JobsFolder) {
  /** Each problem as `path code` (`file:line code` where it has no path), warnings marked, and what it says. */
  async function problemsOf(command: string[], files: Record<string, string | Buffer> = {}, more = '') {
    const folder = await here.write('job', `run: { command: ${JSON.stringify(command)} }\n${more}`);
    for (const [name, text] of Object.entries({ 'main.py': 'print(1)\n', ...files })) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    const { problems } = await checkJobs(here.jobs);
    return problems.map(({ path, file, line, code, severity, message, hint }) => ({
      said: `${path ?? [file.slice(here.jobs.length + 5), line].filter(Boolean).join(':')} ${code}${severity ? ' warning' : ''}`,
      text: `${message} | ${hint}`,
    }));
  }
  const said = async (...given: Parameters<typeof problemsOf>) => (await problemsOf(...given)).map((one) => one.said);
  return { problemsOf, said };
}
