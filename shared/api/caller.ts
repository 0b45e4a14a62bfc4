import type { Job } from '../job/job.ts';
import { ApiProblem } from './problem.ts';

/** What a caller may do: app roles of Entra ID, each with what those before it may not. */
export const roles = ['viewer', 'operator', 'admin', 'auditor'] as const;
export type Role = (typeof roles)[number];

/** The one that sent the request, once that is proven. */
export interface Caller {
  /** E-mail or name, as the audit shows it. */
  name: string;
  roles: readonly Role[];
  /** Only jobs of these departments exist for this caller; null: all. */
  departments: readonly string[] | null;
}

/** Who sends this request. @throws ApiProblem `not-signed-in` when that is not proven */
export type Guard = (request: Request) => Promise<Caller>;

/** What a route needs; a caller has it by any of these roles. */
const allowed: Record<'read' | 'act' | 'administer' | 'audit', readonly Role[]> = {
  read: roles,
  act: ['operator', 'admin'],
  administer: ['admin'],
  audit: ['auditor', 'admin'],
};
export type Right = keyof typeof allowed;

export function may({ roles: held }: Caller, right: Right): boolean {
  return held.some((role) => allowed[right].includes(role));
}

/** @throws ApiProblem `not-allowed` */
export function demand(caller: Caller, right: Right): void {
  if (may(caller, right)) return;
  const { name, roles: held } = caller;
  const wanted = allowed[right].join(' or ');
  const has = held.length === 0 ? 'no role' : `the role ${held.join(', ')}`;
  throw new ApiProblem(
    'not-allowed',
    `expected the role ${wanted}, ${name} has ${has}: ask an admin of this installation`,
  );
}

/** Jobs outside a caller's departments do not exist for them; a job that is gone has no department. */
export function sees({ departments }: Caller, job: Job | undefined): boolean {
  return departments === null || (job !== undefined && departments.includes(job.owner.department));
}
