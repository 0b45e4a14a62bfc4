import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import type { Command } from './command.ts';
import type { Deployment } from './deployment.ts';
import { failureText } from './failure.ts';
import { isJoined } from './reach.ts';

/** Looks, before anything is made, whether the first deployment can work here: rights, services, region, room, names. */

const json = ['--output', 'json'];
const get = (url: string): Command => ({ argv: ['az', 'rest', '--method', 'get', '--url', url, ...json] });

/** As infra/modules/app.bicep has it. */
export const nodeVersion = '24';

/** What a deployment does that some roles do not allow. */
const needed = [
  'Microsoft.Resources/deployments/write',
  'Microsoft.Authorization/roleAssignments/write',
  'Microsoft.Authorization/roleDefinitions/write',
  'Microsoft.KeyVault/vaults/write',
  'Microsoft.Storage/storageAccounts/write',
  'Microsoft.Web/sites/write',
  'Microsoft.App/jobs/write',
];
const services = [
  'App',
  'ContainerRegistry',
  'Insights',
  'KeyVault',
  'ManagedIdentity',
  'OperationalInsights',
  'Storage',
  'Web',
];

type Place = { subscription: string; group: string; groupStands: boolean; location: string };

export const permissions = ({ subscription, group, groupStands }: Place): Command =>
  get(
    `/subscriptions/${subscription}${groupStands ? `/resourceGroups/${group}` : ''}` +
      '/providers/Microsoft.Authorization/permissions?api-version=2022-04-01',
  );
export const providers: Command = { argv: ['az', 'provider', 'list', ...json] };
export const runtimes = ({ location }: Pick<Place, 'location'>): Command => ({
  argv: ['az', 'functionapp', 'list-flexconsumption-runtimes', '--location', location, '--runtime', 'node', ...json],
});
export const usages = ({ subscription, location }: Pick<Place, 'subscription' | 'location'>): Command =>
  get(`/subscriptions/${subscription}/providers/Microsoft.App/locations/${location}/usages?api-version=2026-01-01`);
export const spreadRegions: Command = {
  argv: ['az', 'functionapp', 'list-flexconsumption-locations', '--zone-redundant', 'true', ...json],
};
export const deletedVaults: Command = {
  argv: ['az', 'keyvault', 'list-deleted', '--resource-type', 'vault', ...json],
};

const permission = z.object({ actions: z.array(z.string()), notActions: z.array(z.string()).nullish() });
const usage = z.object({ name: z.object({ value: z.string() }), currentValue: z.number(), limit: z.number() });

/** @returns what of `needed` no permission allows */
export function lacking(all: z.infer<typeof permission>[], actions = needed): string[] {
  const matches = (pattern: string, action: string) =>
    new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`, 'i').test(action);
  const allowed = (action: string) =>
    all.some(
      (one) =>
        one.actions.some((pattern) => matches(pattern, action)) &&
        !(one.notActions ?? []).some((pattern) => matches(pattern, action)),
    );
  return actions.filter((action) => !allowed(action));
}

/** @throws Refusal with everything that would stop the deployment later; what cannot be looked at is said and passed over */
export async function preflight(here: Deployment): Promise<void> {
  const { target, known, groupStands, say } = here;
  const location = target.location ?? '';
  const place: Place = { subscription: known.subscription, group: target.group, groupStands, location };
  const problems: string[] = [];

  async function look<T>(what: string, command: Command, shape: z.ZodType<T>, judge: (value: T) => string[]) {
    const answer = await here.run(command);
    let read: z.ZodSafeParseResult<T> | undefined;
    try {
      read = answer.code === 0 ? shape.safeParse(JSON.parse(answer.stdout)) : undefined;
    } catch {
      read = undefined;
    }
    if (read?.success) problems.push(...judge(read.data));
    else
      say(
        `  Not looked at: ${what}. ${answer.code === 0 ? 'The answer has another shape' : failureText(command, answer)}`,
      );
  }

  const joined = isJoined(known.reach);
  const actions = [...needed, ...(joined ? ['Microsoft.Network/virtualNetworks/write'] : [])];
  if (known.reach.network !== 'public') actions.push('Microsoft.Network/privateEndpoints/write');
  await look('your rights', permissions(place), z.object({ value: z.array(permission) }), ({ value }) =>
    lacking(value, actions).map(
      (action) => `you may not do ${action}: you need Owner, or Contributor and User Access Administrator`,
    ),
  );
  const provider = z.object({ namespace: z.string(), registrationState: z.string() });
  await look('which services are switched on', providers, z.array(provider), (all) => {
    const on = new Set(
      all.filter((one) => /^regist/i.test(one.registrationState)).map((one) => one.namespace.toLowerCase()),
    );
    const off = [...services, ...(joined ? ['Network'] : [])].filter(
      (name) => !on.has(`microsoft.${name.toLowerCase()}`),
    );
    return off.map(
      (name) =>
        `the subscription has never used Microsoft.${name}: az provider register --wait --namespace Microsoft.${name}`,
    );
  });
  await look('whose vaults are kept', deletedVaults, z.array(z.object({ name: z.string() })), (all) =>
    all
      .filter(({ name }) => new RegExp(`^kv-${target.name}-[a-z0-9]{8}$`).test(name))
      .map(
        ({ name }) =>
          `a deleted vault ${name} is kept, and may have the name: az keyvault recover --name ${name}, or another --name`,
      ),
  );
  if (location !== '') {
    await look('the region’s Node', runtimes(place), z.array(z.looseObject({ version: z.string() })), (all) =>
      all.some(({ version }) => version === nodeVersion)
        ? []
        : [
            `${location} has no Flex Consumption with Node ${nodeVersion} (it has ${all.map(({ version }) => version).join(', ') || 'none'}): another --location`,
          ],
    );
    if (known.reach.zones === 'all')
      await look('the region’s buildings', spreadRegions, z.array(z.looseObject({ name: z.string() })), (all) =>
        all.some(({ name }) => name.replaceAll(' ', '').toLowerCase() === location)
          ? []
          : [`${location} spreads no Flex Consumption app over its buildings: --zones jobs, or another --location`],
      );
    await look('room for Container Apps', usages(place), z.object({ value: z.array(usage) }), ({ value }) =>
      value
        .filter((one) => /ManagedEnvironmentCount/i.test(one.name.value) && one.currentValue >= one.limit)
        .map(
          (one) =>
            `${location} has ${one.currentValue} of ${one.limit} Container Apps environments: ask for more quota, or another --location`,
        ),
    );
  }
  if (problems.length > 0)
    throw new Refusal(
      `This cannot be deployed here, and nothing has been made:\n${problems.map((one) => `  ${one}`).join('\n')}`,
    );
  say('  Rights, services, region and names allow a first deployment.');
}
