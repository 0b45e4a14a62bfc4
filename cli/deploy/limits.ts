import { containerAppsJobName } from '../../shared/executors/container-apps/names.ts';
import { containerSize } from '../../shared/executors/container-apps/size.ts';
import { second } from '../../shared/instant.ts';
import type { Job } from '../../shared/job/job.ts';

/** What keeps jobs, or this many of them, from Azure. */
export interface Limit {
  /** Null: all of them together. */
  job: Job | null;
  text: string;
  /** It works still, and will not for long. */
  near: boolean;
}

/** What a container has between the request to stop and its end (azure-container-apps #1669). */
const stopMs = 30 * second;

/**
 * Limits of Azure for one installation, in a subscription of its own. Sources: Microsoft, "Azure subscription limits" (role
 * assignments, resources of a type in a resource group), "Bicep functions: loadJsonContent" (characters of a file).
 */
export const limits = { assignments: 4_000, ofOneType: 800, indexCharacters: 1_048_576 };
/** Of the app, the second scheduler and the pull identity; the rest of a subscription's are others'. */
const ownAssignments = 12;
/** The app's, the second scheduler's and the pull identity. */
const ownIdentities = 3;
/** From this part of a limit on it is said. */
const soon = 0.75;

/** Jobs that Azure is to run: those that are over, or run elsewhere, get no resources. */
export function inAzure(jobs: readonly Job[]): Job[] {
  return jobs.filter(({ status, external }) => status !== 'decommissioned' && !external);
}

/** Role assignments: the app's to start it, and its own for each secret. */
export function assignmentsOf(jobs: readonly Job[]): number {
  const own = jobs.map(({ secrets }) => 1 + new Set(Object.values(secrets).map((name) => name.toLowerCase())).size);
  return ownAssignments + own.reduce((sum, one) => sum + one, 0);
}

/** @param jobs those of {@link inAzure} */
export function limitsOf(prefix: string, jobs: readonly Job[]): Limit[] {
  const all = [
    counted('role assignments of the subscription', assignmentsOf(jobs), limits.assignments),
    counted('identities of the resource group', ownIdentities + jobs.length, limits.ofOneType),
  ];
  return [...jobs.flatMap((job) => ofJob(job)), ...twins(prefix, jobs), ...all.flat()];
}

function counted(what: string, count: number, limit: number): Limit[] {
  if (count <= limit * soon) return [];
  const step = 'deploy some of them as a second installation, in a subscription of its own (--name, --subscription)';
  const text = `${jobsTake(what, count)}, and Azure has ${limit.toLocaleString('en-GB')}: ${step}`;
  return [{ job: null, text, near: count <= limit }];
}

function jobsTake(what: string, count: number): string {
  return `the jobs take ${count.toLocaleString('en-GB')} ${what}`;
}

function ofJob(job: Job): Limit[] {
  const texts: string[] = [];
  if (!containerSize(job.cpu, job.memoryBytes))
    texts.push('Container Apps has at most 4 cpu and 8 Gi: ask for less in run.cpu, run.memory');
  if (job.graceMs > stopMs) {
    const seconds = Math.round(job.graceMs / second);
    texts.push(`run.grace ${seconds}s: a stop in Container Apps gives 30 s, whatever is asked: at most 30s`);
  }
  if (job.network === 'none') texts.push('run.network: none cannot be kept in Container Apps');
  return texts.map((text) => ({ job, text, near: false }));
}

function twins(prefix: string, jobs: readonly Job[]): Limit[] {
  const users = new Map<string, string>();
  return jobs.flatMap((job) => {
    const resource = containerAppsJobName(prefix, job.name);
    const twin = users.get(resource);
    users.set(resource, job.name);
    return twin ? [{ job, text: `${twin} would be called ${resource} as well: rename one`, near: false }] : [];
  });
}

/** What infra/ reads of all jobs. @param text of the file */
export function indexLimit(text: string): Limit[] {
  if (text.length <= limits.indexCharacters) return [];
  const most = limits.indexCharacters.toLocaleString('en-GB');
  const size = text.length.toLocaleString('en-GB');
  return [
    {
      job: null,
      text: `infra/jobs.json has ${size} characters, and Bicep reads ${most}: deploy some jobs apart`,
      near: false,
    },
  ];
}
