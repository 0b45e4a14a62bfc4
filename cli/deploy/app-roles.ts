import { join } from 'node:path';
import { z } from 'zod';
import { type Role, roles } from '../../shared/api/caller.ts';
import { type Known, roleFile } from './az.ts';
import { stableGuid, writeBody } from './body.ts';
import type { Command } from './command.ts';
import type { Deployment } from './deployment.ts';

/** App roles of the registration: without one of them a caller is let in at the door, and may do nothing. */

const mayDo: Record<Role, string> = {
  viewer: 'Reads jobs, runs, logs and metrics.',
  operator: 'Reads, and runs, reruns, cancels, pauses and resumes jobs.',
  admin: 'May do everything.',
  auditor: 'Reads, and checks the audit.',
};

export const appRole = z.looseObject({ id: z.string(), value: z.string().nullish() });
export type AppRole = z.infer<typeof appRole>;

/** Ours, and those that someone has added by hand, such as `operator:Sales`: Graph replaces the whole list. */
export function appRoles(appId: string, there: readonly AppRole[]): AppRole[] {
  const ours = roles
    .filter((role) => there.every(({ value }) => value !== role))
    .map((role) => ({
      id: stableGuid(`${appId} role ${role}`),
      value: role,
      displayName: `Lamplighter ${role}`,
      description: mayDo[role],
      allowedMemberTypes: ['User', 'Application'],
      isEnabled: true,
    }));
  return [...there, ...ours];
}

const assignedUrl = ({ graph, servicePrincipal }: Known) =>
  `${graph}/v1.0/servicePrincipals/${servicePrincipal}/appRoleAssignedTo`;

export const listAssigned = (known: Known): Command => ({
  argv: ['az', 'rest', '--method', 'get', '--url', assignedUrl(known), '--output', 'json'],
});

export const assignAdmin = (known: Known): Command => {
  const headers = ['--headers', 'Content-Type=application/json'];
  const url = assignedUrl(known);
  return {
    argv: ['az', 'rest', '--method', 'post', '--url', url, ...headers, '--body', `@${roleFile}`, '--output', 'none'],
  };
};

const assigned = z.object({ value: z.array(z.object({ principalId: z.string(), appRoleId: z.string() })) });

/**
 * Makes the callers of a first deployment admins of the app. Only who may do so in the directory can: where it is refused,
 * the deployment goes on, and the command is for an administrator.
 */
export async function makeAdmins(deployment: Deployment, there: readonly AppRole[]): Promise<void> {
  const { known, root, say } = deployment;
  const admin = there.find(({ value }) => value === 'admin')?.id ?? '';
  const has = await assignedNow(deployment);
  for (const principalId of known.callers) {
    if (has.some((one) => one.principalId === principalId && one.appRoleId === admin)) continue;
    await writeBody(join(root, roleFile), { principalId, resourceId: known.servicePrincipal, appRoleId: admin });
    const answer = await deployment.run(assignAdmin(known));
    if (answer.code === 0) continue;
    say(
      `  ${principalId} could not be made admin of the app: an administrator of the directory does it, in the portal under`,
    );
    say(
      `  Enterprise applications, Lamplighter, Users and groups (docs/deploy.md, Roles). Until then the API answers 403.`,
    );
  }
}

/** Who has which role; none where the directory does not say: a role that is given twice is refused, and stays as it is. */
async function assignedNow({ known, run }: Deployment): Promise<z.infer<typeof assigned>['value']> {
  const answer = await run(listAssigned(known));
  try {
    return assigned.parse(JSON.parse(answer.stdout)).value;
  } catch {
    return [];
  }
}
