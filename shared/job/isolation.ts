import type { Job } from './job.ts';

/** How far jobs of this installation are kept apart from the machine; a manifest may ask for more, never for less. */
export interface Isolation {
  /** Each job runs in a container of its own. */
  contained: boolean;
  /** Jobs that the operator lets run as plain processes all the same. */
  allowProcess: readonly string[];
  /** Jobs that the operator lets have the machine's own network. */
  allowHostNetwork: readonly string[];
}

/** A machine on which jobs are plain processes: a manifest can only ask for more. */
export const uncontained: Isolation = { contained: false, allowProcess: [], allowHostNetwork: [] };

/** A wish of a manifest that the installation does not grant. */
export interface Wish {
  field: 'executor' | 'network';
  value: 'process' | 'host';
  /** What an operator would have to start the host with. */
  flag: string;
}

/** What a job asks for that would take it out of its container. */
export function ungranted(
  { name, executor, network }: Pick<Job, 'name' | 'executor' | 'network'>,
  isolation: Isolation,
) {
  const wishes: Wish[] = [];
  if (!isolation.contained) return wishes;
  if (executor === 'process' && !isolation.allowProcess.includes(name)) {
    wishes.push({ field: 'executor', value: 'process', flag: `--allow-process ${name}` });
  }
  if (network === 'host' && !isolation.allowHostNetwork.includes(name)) {
    wishes.push({ field: 'network', value: 'host', flag: `--allow-host-network ${name}` });
  }
  return wishes;
}
