import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import { whichPrincipal, whoAmI } from './az.ts';
import type { Deployment } from './deployment.ts';

export const accountShape = z.object({
  id: z.string(),
  name: z.string(),
  tenantId: z.string(),
  user: z.object({ name: z.string(), type: z.string() }),
});
export type Account = z.infer<typeof accountShape>;

const withId = z.object({ id: z.string() });
const ids = z.array(z.guid());
const officers = z.array(z.object({ objectId: z.guid(), type: z.enum(['User', 'Group', 'ServicePrincipal']) }));

/**
 * Who is notified, who may call the app and who may set secrets: as a variable says, else as the last deployment had it,
 * else the one that deploys. @param before whether there was a deployment
 */
export async function people(deployment: Deployment, account: Account, before: boolean): Promise<void> {
  const { known, target, environment } = deployment;
  const emails = target.alertEmails ?? (environment.LAMPLIGHTER_ALERT_EMAILS || undefined);
  if (emails !== undefined) known.alertEmails = emails.split(',').map((email) => email.trim());
  else if (!before)
    throw new Refusal('It is not said who is notified when something fails: --alert-emails ops@contoso.com');
  known.runbookUrl = environment.LAMPLIGHTER_RUNBOOK_URL || known.runbookUrl;
  if (!/^(https:\/\/[^\s'"#]+)?$/.test(known.runbookUrl))
    throw new Refusal(
      `LAMPLIGHTER_RUNBOOK_URL is ${JSON.stringify(known.runbookUrl)}: expected an address that begins with https:// and has no #`,
    );
  if (target.authClientId !== undefined) known.authClientId = target.authClientId;

  const callers = variable(environment, 'LAMPLIGHTER_CALLERS', ids);
  const groups = variable(environment, 'LAMPLIGHTER_CALLER_GROUPS', ids);
  const clients = variable(environment, 'LAMPLIGHTER_CALLER_CLIENTS', ids);
  const officersGiven = variable(environment, 'LAMPLIGHTER_SECRET_OFFICERS', officers);
  if (!before && (callers === undefined || officersGiven === undefined)) {
    const person = account.user.type === 'user';
    const { id } = await deployment.json(person ? whoAmI : whichPrincipal(account.user.name), withId);
    known.callers = [id];
    known.secretOfficers = [{ objectId: id, type: person ? 'User' : 'ServicePrincipal' }];
  }
  known.callers = callers ?? known.callers;
  known.callerGroups = groups ?? known.callerGroups;
  for (const [name, list] of [
    ['LAMPLIGHTER_CALLERS', known.callers],
    ['LAMPLIGHTER_CALLER_GROUPS', known.callerGroups],
  ] as const) {
    if (list.length > mostCallers) throw new Refusal(tooMany(name, list.length));
  }
  known.callerClients = clients ?? known.callerClients;
  known.secretOfficers = officersGiven ?? known.secretOfficers;
}

/** Azure takes 500 characters of ids: 13 GUIDs, of which the second scheduler has one. */
const mostCallers = 12;

function tooMany(name: string, count: number): string {
  const groups = 'put the callers into a group of Entra ID and give its object id: LAMPLIGHTER_CALLER_GROUPS';
  return `${name} has ${count} ids: expected at most ${mostCallers}, as Azure takes 500 characters of them; ${groups}`;
}

function variable<T>(environment: NodeJS.ProcessEnv, name: string, shape: z.ZodType<T>): T | undefined {
  const text = environment[name];
  if (!text) return undefined;
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    const example = name.endsWith('OFFICERS') ? '[{"objectId": "<id>", "type": "User"}]' : '["<id>"]';
    throw new Refusal(`${name} is ${JSON.stringify(text)}: expected JSON such as ${example}, ids being GUIDs`);
  }
}
