import type { z } from 'zod';
import { count } from '../words.ts';
import type { Assignment, ContainerJob, identities, Outputs } from './azure.ts';
import { type Finding, found, note } from './finding.ts';

/** What stands and was not in the last deployment: a deployment makes and changes, and removes nothing. */
export interface Leftover {
  /** Null: a person has deleted it already, and left the identity. */
  job: ContainerJob | null;
  identities: Identity[];
}

type Identity = z.infer<typeof identities>[number];

export interface Standing {
  jobs: ContainerJob[];
  identities: Identity[];
  /** What the names of Container Apps Jobs begin with. */
  prefix: string;
  /** What this installation is called. */
  name: string;
}

/** `id-<installation>-app` → the installation; undefined when it is called otherwise. */
export const installationName = (appIdentity: string) => /^id-(.+)-app$/.exec(appIdentity)?.[1];

/** Compares what stands with what the last deployment says that it made. Nothing of anyone else is taken for ours. */
export function leftovers({ jobs, identities, prefix, name }: Standing, outputs: Outputs): Leftover[] {
  const kept = lower([outputs.secondSchedulerName.value, ...outputs.jobs.value.map(({ resource }) => resource)]);
  const keptIdentities = lower([
    outputs.appIdentityName.value,
    outputs.secondSchedulerIdentityName.value,
    ...(outputs.pullIdentityName ? [outputs.pullIdentityName.value] : []),
    ...outputs.jobs.value.map(({ identity }) => identity),
  ]);
  const spare = identities.filter((one) => {
    const own = one.name.toLowerCase();
    return own.startsWith(`id-${name}-`.toLowerCase()) && !keptIdentities.has(own);
  });
  // infra/ gives the tag `job` to jobs alone: by it those are found whose prefix was another one.
  const ours = (job: ContainerJob) => job.name.startsWith(`${prefix}-`) || job.tags?.job !== undefined;
  const left = jobs
    .filter((job) => ours(job) && !kept.has(job.name.toLowerCase()))
    .map((job) => {
      const used = lower(Object.keys(job.identity?.userAssignedIdentities ?? {}));
      return { job, identities: spare.filter(({ id }) => used.has(id.toLowerCase())) };
    });
  const claimed = new Set(left.flatMap((one) => one.identities));
  const alone = spare.filter((one) => !claimed.has(one)).map((one) => ({ job: null, identities: [one] }));
  return [...left, ...alone];
}

const lower = (names: string[]) => new Set(names.map((name) => name.toLowerCase()));

/** One for each, with the commands that remove it. They do no harm, so that they fail no deployment. */
export function leftoverFindings(all: Leftover[], assignments: Assignment[]): Finding[] {
  const check = 'leftovers';
  const problems = all.map(({ job, identities }) => {
    const rights = rightsOf({ job, identities }, assignments);
    const what = job ? `the Container Apps Job ${job.name}` : `the identity ${identities[0]?.name}`;
    const and = [
      ...(job ? identities.map(({ name }) => `its identity ${name}`) : []),
      ...(rights.length > 0 ? [count(rights.length, 'role assignment')] : []),
    ];
    const text = `${what} is not deployed any more, and still there${and.length > 0 ? `, with ${and.join(' and ')}` : ''}`;
    return note(check, text, removal({ job, identities }, rights));
  });
  return found(check, problems, 'nothing is there that is not deployed any more');
}

/** What its identities may, and what others may do with it. */
function rightsOf({ job, identities }: Leftover, assignments: Assignment[]): string[] {
  const principals = new Set(identities.map(({ principalId }) => principalId));
  const own = assignments.filter(({ principalId, scope }) => {
    return principals.has(principalId) || scope.toLowerCase() === job?.id.toLowerCase();
  });
  return own.map(({ id }) => id);
}

/**
 * Rights first: Azure keeps those of an identity that is gone, and refuses to give them to a later one of the same name
 * (RoleAssignmentUpdateNotPermitted), as a job that comes back would have.
 */
function removal({ job, identities }: Leftover, rights: string[]): string {
  const ids = identities.map(({ id }) => id);
  const commands = [
    ...(rights.length > 0 ? [`az role assignment delete --ids ${rights.join(' ')}`] : []),
    ...(job ? [`az resource delete --ids ${job.id}`] : []),
    ...(ids.length > 0 ? [`az identity delete --ids ${ids.join(' ')}`] : []),
  ];
  return commands.join(' && ');
}
