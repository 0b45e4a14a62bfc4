import { StartError } from '../executors/executor.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import { type Run, type RunInput, runName } from '../run/run.ts';

/**
 * The files that a run takes from other jobs: of each job the newest success at or before the run's slot, a rerun
 * replacing the original. A job that has not succeeded yet gives none.
 * @throws StartError when a success kept no such file: an older one would be taken for today's
 */
export async function findInputs({ store }: Parts, job: Job, run: Run): Promise<RunInput[]> {
  const sources = [...new Set(job.inputs.map((input) => input.job))];
  const found = await Promise.all(sources.map((source) => store.runs.newestSuccess(source, run.slot)));
  return job.inputs.flatMap(({ path, job: source, output }): RunInput[] => {
    const past = found[sources.indexOf(source)];
    if (!past) return [];
    const kept = past.outputs.find((candidate) => candidate.path === output);
    if (typeof kept?.sha256 !== 'string') throw new StartError('configuration', notKept(past, output, kept?.problem));
    return [{ path, job: source, run: past.id, attempt: past.attempts.length, output, sha256: kept.sha256 }];
  });
}

function notKept(past: Run, output: string, problem: string | null | undefined): string {
  const why = problem ? ` (${problem})` : '';
  return `input ${past.job}/${output}: ${runName(past)} succeeded and kept no ${output}${why}: fix ${past.job}, then rerun it`;
}
