import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { checkJobs } from '../../../shared/manifest/check.ts';

/** A jobs folder of its own for each test of a file. */
export interface JobsFolder {
  /** Holds the jobs folder, and whatever must lie outside of it. */
  root: string;
  jobs: string;
  /** Writes a job; `more` is the end of its manifest. @returns its folder. */
  write(name: string, more?: string, files?: Record<string, string>): Promise<string>;
  /** Every problem as `file code`, the file below the jobs folder. */
  found(): Promise<string[]>;
}

const base = `description: Scores yesterday's prospects.
owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
`;
export const echo = 'run: { command: [echo, hello] }\n';

export function jobsFolder(): JobsFolder {
  const here: JobsFolder = {
    root: '',
    jobs: '',
    async write(name, more = echo, files = { 'README.md': '#' }) {
      const folder = join(here.jobs, name);
      await mkdir(folder, { recursive: true });
      const all = Object.entries({ 'job.yaml': base + more, ...files });
      for (const [file, text] of all) await writeFile(join(folder, file), text);
      return folder;
    },
    async found() {
      const { problems } = await checkJobs(here.jobs);
      return problems.map(({ file, code }) => `${file.slice(here.jobs.length + 1)} ${code}`);
    },
  };
  beforeEach(async () => {
    here.root = await mkdtemp(join(tmpdir(), 'jobs-'));
    here.jobs = join(here.root, 'jobs');
    await mkdir(here.jobs);
  });
  afterEach(() => rm(here.root, { recursive: true, force: true }));
  return here;
}
