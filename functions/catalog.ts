import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog, Deployed } from '../shared/job/catalog.ts';
import { type Job, readScheduleText, type ScheduleText, scheduleText } from '../shared/job/job.ts';

/** A job as `npm run package` writes it down: checked then, so that nothing has to be checked when the app starts. */
export interface PackedJob extends Omit<Deployed, 'zip' | 'job'> {
  job: Omit<Job, 'folder' | 'schedules'> & { schedules: ScheduleText[] };
}

/** The file in the package that holds a {@link PackedJob} for each job; the code of each is in `bundles/<digest>.zip`. */
export const jobsFile = 'jobs.json';
export const bundlePath = (digest: string) => `bundles/${digest}.zip`;

export function packJob({ job: { folder: _, ...job }, bundle, lock, commit, golden = null }: Deployed): PackedJob {
  return { job: { ...job, schedules: job.schedules.map(scheduleText) }, bundle, lock, commit, golden };
}

/** The file as a whole. `made`: when the folder of jobs was read for it, ms UTC. */
export interface PackedJobs {
  made: number;
  jobs: PackedJob[];
}

/**
 * The jobs that this package was made with. One that this version cannot read, as when a time zone is gone, is left out.
 * @param report called for such a job. @throws Error when the package is not whole
 */
export async function readCatalog(
  folder: string,
  report: (job: string, error: unknown) => void = () => {},
): Promise<Catalog> {
  const file = join(folder, jobsFile);
  const packed = (await readFile(file, 'utf8')
    .then(JSON.parse)
    .catch((error: Error) => {
      throw new Error(`${file} cannot be read (${error.message}): make the package again with npm run package`, {
        cause: error,
      });
    })) as PackedJobs;
  const catalog = new Map<string, Deployed>();
  const broken = new Set<string>();
  for (const one of packed.jobs) {
    try {
      catalog.set(one.job.name, unpackJob(one, folder));
    } catch (error) {
      broken.add(one.job.name);
      report(one.job.name, error);
    }
  }
  return Object.assign(catalog, { package: { made: packed.made, read: Date.now(), broken } });
}

function unpackJob({ job, bundle, lock, commit, golden = null }: PackedJob, folder: string): Deployed {
  return {
    // Whatever it asks for on one machine, here it gets a container.
    job: { ...job, schedules: job.schedules.map(readScheduleText), folder: '', executor: null },
    bundle,
    lock,
    commit,
    golden,
    zip: () => readFile(join(folder, bundlePath(bundle))),
  };
}
