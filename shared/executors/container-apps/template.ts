import type { JobExecutionTemplate } from '@azure/arm-appcontainers';
import type { Job } from '../../job/job.ts';
import type { AttemptSpec } from '../../run/attempt.ts';
import type { AttemptId } from '../../store/attempts.ts';
import { StartError } from '../executor.ts';
import { attemptVariable, containerAppsSecretName, specVariable } from './names.ts';
import { containerSize } from './size.ts';

/** As infra/ calls the one container of each job. */
export const containerName = 'job';

/** By what an execution says in its environment which attempt it is of. No execution has a name with a slash. */
export function attemptMark({ job, run, attempt }: AttemptId): string {
  return `${job}/${run}/${attempt}`;
}

/**
 * What one execution runs. It replaces the template of the job resource, whose own values are not merged in: whatever
 * is left out here is gone, secrets too. No command: the image has its entry point, and the one that may set it may read
 * all that the job may.
 * @param ticket address at which the shim reads its specification once
 * @throws StartError when Container Apps has no such size
 */
export function executionTemplate(
  id: AttemptId & Partial<Pick<AttemptSpec, 'secrets'>>,
  job: Job,
  image: string,
  ticket: string,
): JobExecutionTemplate {
  const size = containerSize(job.cpu, job.memoryBytes);
  if (!size) {
    const asked = `${job.cpu} cpu and ${job.memoryBytes / 1024 ** 3} GiB`;
    const what = `${job.name} asks for ${asked}, and Container Apps has at most 4 cpu and 8 GiB: ask for less (run.cpu, run.memory)`;
    throw new StartError('configuration', what);
  }
  // A replay gets fewer than the job declares.
  const given = Object.entries(job.secrets).filter(([name]) => Object.hasOwn(id.secrets ?? job.secrets, name));
  const secrets = given.map(([name, secret]) => {
    return { name, secretRef: containerAppsSecretName(secret) };
  });
  const env = [...secrets, { name: specVariable, value: ticket }, { name: attemptVariable, value: attemptMark(id) }];
  return { containers: [{ name: containerName, image, env, resources: size }] };
}
