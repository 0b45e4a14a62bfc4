import { z } from 'zod';

/**
 * What Azure's management takes and gives for Container Apps Jobs, as Microsoft publishes it in azure-rest-api-specs:
 * specification/app/resource-manager/Microsoft.App/ContainerApps/stable/2026-07-01/openapi.json (read field by field:
 * Jobs_Start, Jobs_StopExecution, JobsExecutions_List, JobExecution and their definitions). The specification lets
 * everything be left out and more be there; here nothing more is allowed, and what Azure itself insists on must be.
 */
export const apiVersion = '2026-07-01';

/** Of jobs and executions alike. */
const resourceName = /^[-\w._()]+$/;

const environmentVariable = z
  .strictObject({ name: z.string().min(1), value: z.string().optional(), secretRef: z.string().optional() })
  .refine(({ value, secretRef }) => (value === undefined) !== (secretRef === undefined), 'value or secretRef');

const container = z.strictObject({
  name: z.string().min(1),
  image: z.string().min(1),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: z
    .array(environmentVariable)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'a variable is there twice')
    .optional(),
  // `ephemeralStorage` is read-only.
  resources: z.strictObject({ cpu: z.number(), memory: z.string().regex(/^[\d.]+Gi$/) }).optional(),
});

/** The body of a start: the template itself, without anything around it. No volumes, no probes, no time limit. */
export const executionTemplate = z.strictObject({
  containers: z.array(container).min(1),
  initContainers: z.array(container).optional(),
});
export type ExecutionTemplate = z.infer<typeof executionTemplate>;

export type RunningState = 'Running' | 'Processing' | 'Stopped' | 'Degraded' | 'Failed' | 'Unknown' | 'Succeeded';

/** JobExecution, as far as Azure's answers are known to fill it. */
export interface ExecutionResource {
  id: string;
  name: string;
  type: 'Microsoft.App/jobs/executions';
  properties: {
    status: RunningState;
    startTime: string;
    endTime?: string;
    template: ExecutionTemplate;
    reason?: string;
    message?: string;
    detailedStatus?: {
      replicas: { name: string; containers: { name: string; code: number; status: string }[] }[];
    };
  };
}

export type Operation = 'start' | 'stop' | 'get' | 'list' | 'poll';

/** What a role must allow; names of Microsoft's provider operations. */
export const actionOf: Record<Operation, string> = {
  start: 'Microsoft.App/jobs/start/action',
  stop: 'Microsoft.App/jobs/stop/execution/action',
  get: 'Microsoft.App/jobs/execution/read',
  list: 'Microsoft.App/jobs/executions/read',
  poll: 'Microsoft.App/locations/containerappsjoboperationresults/read',
};

export interface Route {
  operation: Operation;
  subscription: string;
  group: string;
  job: string;
  execution: string;
}

/** Which operation a request is for; undefined: none that this fake has. */
export function route(method: string, path: string): Route | undefined {
  const [, ...parts] = path.split('/').map(decodeURIComponent);
  const at = (index: number) => parts[index] ?? '';
  if (at(0) !== 'subscriptions' || parts.some((part) => part === '')) return undefined;
  const found = (operation: Operation, group: string, job: string, execution: string): Route | undefined => {
    const named = [job, execution].every((name) => name === '' || resourceName.test(name));
    return named ? { operation, subscription: at(1), group, job, execution } : undefined;
  };
  if (method === 'GET' && at(2) === 'providers' && at(6) === 'containerappsjoboperationresults') {
    return found('poll', '', '', at(7));
  }
  if (at(2).toLowerCase() !== 'resourcegroups' || at(4) !== 'providers') return undefined;
  if (at(5).toLowerCase() !== 'microsoft.app' || at(6) !== 'jobs') return undefined;
  const rest = [method, ...parts.slice(8)].map((part, index) => (index === 2 ? '*' : part)).join(' ');
  if (rest === 'POST start') return found('start', at(3), at(7), '');
  if (rest === 'GET executions') return found('list', at(3), at(7), '');
  if (rest === 'GET executions *') return found('get', at(3), at(7), at(9));
  if (rest === 'POST executions * stop') return found('stop', at(3), at(7), at(9));
  return undefined;
}

/** The Consumption plan: 0.25 to 4 vCPU in steps of 0.25, with twice as many GiB. */
export function isConsumptionSize({ cpu, memory }: { cpu: number; memory: string }): boolean {
  return cpu >= 0.25 && cpu <= 4 && Number.isInteger(cpu * 4) && Number.parseFloat(memory) === cpu * 2;
}
