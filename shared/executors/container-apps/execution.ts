import type { JobExecution } from '@azure/arm-appcontainers';
import type { ContainerAppsAPIContext } from '@azure/arm-appcontainers/api';
import { jobExecution } from '@azure/arm-appcontainers/api';
import { list } from '@azure/arm-appcontainers/api/jobsExecutions';
import type { Status } from '../executor.ts';
import { isMissing } from './error.ts';
import { attemptVariable } from './names.ts';
import { containerName } from './template.ts';

/** One Container Apps Job, and how to ask about it. */
export interface ArmJob {
  arm: ContainerAppsAPIContext;
  group: string;
  /** Name of the resource. */
  name: string;
}

/** Azure keeps the last hundred or so; this many pages are no history but a mistake. */
const mostPages = 20;
/** The shim's exit code when the attempt is another's. */
const takenAlready = 75;
/** Exit code after SIGKILL. */
const killed = 137;

/** The execution of that name; undefined: Azure knows none, or not any more. */
export async function getExecution({ arm, group, name }: ArmJob, execution: string): Promise<JobExecution | undefined> {
  try {
    return await jobExecution(arm, group, name, execution);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * The execution that carries the mark; a living one before one that is over. Reads the whole history: Azure promises no
 * order, and refuses every `$filter` (azure-rest-api-specs, issue 26257), so this is for when the name got lost.
 */
export async function searchExecution({ arm, group, name }: ArmJob, mark: string): Promise<JobExecution | undefined> {
  const found: JobExecution[] = [];
  let pages = 0;
  try {
    for await (const page of list(arm, group, name).byPage()) {
      found.push(...page.filter((execution) => carries(execution, mark)));
      if (++pages === mostPages) break;
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if (found.length === 0 && pages === mostPages) {
    throw new Error(`${name} has more than ${pages} pages of executions, and ${mark} is on none of them`);
  }
  return found.find((execution) => statusOf(execution) === 'running') ?? found.at(-1);
}

function carries({ template }: JobExecution, mark: string): boolean {
  const containers = template?.containers ?? [];
  return containers.some(({ env }) => env?.some(({ name, value }) => name === attemptVariable && value === mark));
}

const over = new Set(['Succeeded', 'Failed', 'Stopped', 'Degraded']);

/**
 * What Azure says of an execution, which is at times minutes behind, and has been seen to stay `Running` for ever or
 * to lack its exit code: the result blob decides, and the watch ends by itself what never ends here.
 */
export function statusOf(execution: JobExecution): Status {
  const { status = 'Unknown', detailedStatus, reason, message } = execution;
  // `Unknown` is Azure's own ignorance, and so are states of tomorrow: neither is an end.
  if (!over.has(status)) return 'running';
  const containers = (detailedStatus?.replicas ?? [])
    .flatMap((replica) => replica.containers ?? [])
    .filter(({ name }) => name === undefined || name === containerName);
  if (containers.some(({ code }) => code === takenAlready)) return 'unknown';
  const said = containers.flatMap((container) => [container.status, container.additionalInformation]);
  const text = [reason, message, ...said].join(' ');
  if (/\bOOM|out of memory/i.test(text)) return 'out-of-memory';
  // Killed, and by no one who says so. A node that is drained, a time limit and a stop kill as well: those are no
  // lack of memory, which most jobs do not try again.
  const otherwise = status === 'Stopped' || /stop|deadline|time-?out|evict|preempt|drain|delet|node/i.test(text);
  return !otherwise && containers.some(({ code }) => code === killed) ? 'out-of-memory' : 'ended';
}
