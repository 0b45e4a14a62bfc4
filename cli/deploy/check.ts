import { z } from 'zod';
import { iso } from '../../shared/instant.ts';
import { check as checkJobs } from '../commands/check.ts';
import { Refusal } from '../refusal.ts';
import {
  account,
  earlyToken,
  groupExists,
  showChannel,
  showDeployment,
  versionOfAz,
  versionOfBicep,
  versionOfFunc,
} from './az.ts';
import type { Deployment } from './deployment.ts';
import { endings, filesOf } from './ends.ts';
import { readJobs, readOutputs, readParameters } from './outputs.ts';
import { type Account, accountShape, people } from './people.ts';
import { preflight } from './preflight.ts';
import { decideReach } from './reach.ts';
import { missingSecrets } from './secrets.ts';

/**
 * Oldest versions that can do this: az 2.61 takes values beside a .bicepparam file, Bicep 0.30 adds those that the file
 * does not name; Core Tools 4.1 is the first line of versions we have read that knows Flex Consumption and Node 24.
 */
const oldest = { az: '2.61.0', bicep: '0.30.0', func: '4.1.0' };

/** The programs are there and new enough. @param publishing whether func is needed */
export async function checkTools({ json, must }: Deployment, publishing: boolean): Promise<void> {
  const { 'azure-cli': az } = await json(versionOfAz, z.looseObject({ 'azure-cli': z.string() }));
  atLeast('az', az, oldest.az, 'az upgrade');
  const bicep = /\d+\.\d+\.\d+/.exec(await must(versionOfBicep))?.[0];
  atLeast('Bicep', bicep, oldest.bicep, 'az bicep upgrade');
  if (!publishing) return;
  const func = /\d+\.\d+\.\d+/.exec(await must(versionOfFunc))?.[0];
  atLeast('func', func, oldest.func, 'npm install --global azure-functions-core-tools@4');
}

/** What has ended cannot be deployed; what will within a year is said. @throws Refusal */
export function checkEnds({ root, now, say }: Deployment): void {
  const found = endings(filesOf(root), now);
  for (const { text, end } of found.filter(({ state }) => state === 'soon')) say(`  Warning: ${text}. ${end.remedy}`);
  const over = found.filter(({ state }) => state === 'over');
  if (over.length > 0) throw new Refusal(over.map(({ text, end }) => `${text}. ${end.remedy}`).join('\n'));
}

function atLeast(program: string, found: string | undefined, wanted: string, remedy: string): void {
  if (found === undefined || compare(found, wanted) < 0) {
    throw new Refusal(`${program} ${found ?? '(version unknown)'} is too old: ${wanted} or newer is needed. ${remedy}`);
  }
}

function compare(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => version.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (const place of [0, 1, 2]) {
    const difference = (a?.[place] ?? 0) - (b?.[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Says who deploys to where, and that it is where they meant. */
export async function checkAccount({ json, target, known, now, say }: Deployment): Promise<Account> {
  const found = await json(account, accountShape);
  known.subscription = found.id;
  known.budgetStart = `${iso(now).slice(0, 7)}-01`;
  const { id, name, tenantId, user } = found;
  const wanted = target.subscription;
  if (wanted !== undefined && wanted.toLowerCase() !== id.toLowerCase() && wanted !== name) {
    throw new Refusal(
      `az is set to the subscription ${name} (${id}), and --subscription says ${wanted}. az account set --subscription '${wanted}'`,
    );
  }
  say(`  ${user.name} · subscription ${name} (${id}) · tenant ${tenantId}`);
  return found;
}

/** Reads what stands already, and with what. @throws Refusal when something is missing that only a person can say */
export async function look(deployment: Deployment, who: Account): Promise<void> {
  const { target, must, maybe, say } = deployment;
  const exists = (await must(groupExists(target))).trim() === 'true';
  deployment.groupStands = exists;
  const foundation = exists ? await maybe(showDeployment(target, 'foundation'), z.unknown()) : null;
  const all = foundation === null ? null : await maybe(showDeployment(target, 'all'), z.unknown());
  if (foundation !== null) {
    readParameters(deployment, all ?? foundation);
    readOutputs(deployment, foundation);
  }
  if (all !== null) {
    readOutputs(deployment, all);
    deployment.jobsThere = readJobs(all);
  }
  if (!deployment.stands) say(`  Nothing stands in ${target.group} yet: this is a first deployment.`);
  if (!exists && target.location === undefined) {
    throw new Refusal(
      `There is no resource group ${target.group}, and it is not said where to make it: --location westeurope`,
    );
  }
  decideReach(deployment);
  if (!deployment.stands) await preflight(deployment);
  else await channels(deployment);
  await people(deployment, who, foundation !== null);
  // A pipeline's sign-in is good for some minutes (AADSTS700024), and verify comes later: az keeps this for an hour.
  if (deployment.stands && who.user.type !== 'user') await deployment.run(earlyToken(deployment.known));
}

const channel = z.object({
  properties: z.object({ emailReceivers: z.array(z.object({ emailAddress: z.string() })).nullish() }),
});

/** Who gets alerts now: what a person has added in the portal is kept. */
async function channels(deployment: Deployment): Promise<void> {
  const { known, target, maybe } = deployment;
  const found = await maybe(showChannel(target, known), channel);
  known.channelsStand = found !== null;
  deployment.receivers = (found?.properties.emailReceivers ?? []).map((one) => one.emailAddress.toLowerCase());
}

/** The step `check`, after tools and account. */
export async function checkWhole(deployment: Deployment): Promise<void> {
  const { text, exitCode } = await checkJobs(deployment.jobs);
  deployment.say(indented(text));
  if (exitCode !== 0) throw new Refusal('The jobs have problems, listed above: nothing has been deployed.');
  if (!deployment.stands)
    return deployment.say('  The vault does not exist yet; its secrets are looked for in the step access.');
  await missingSecrets(deployment, deployment.jobs);
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
