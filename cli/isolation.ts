import type { Isolation } from '../shared/job/isolation.ts';

/** The flags of a host, and of a check for it. */
export interface IsolationFlags {
  executor?: 'process' | 'docker';
  allowProcess?: string[];
  allowHostNetwork?: string[];
}

/** Under Docker each job stays in its container, but for those that the operator named. */
export function isolationOf({ executor, allowProcess = [], allowHostNetwork = [] }: IsolationFlags): Isolation {
  return { contained: executor === 'docker', allowProcess, allowHostNetwork };
}
