import { z } from 'zod';
import type { Command } from '../deploy/command.ts';
import { parsed } from '../deploy/deployment.ts';
import { failureText } from '../deploy/failure.ts';
import type { Run } from '../deploy/run.ts';
import type { Asked } from './finding.ts';

/** What is asked of Azure, and the parts of the answers that matter. */

const json = ['--output', 'json'];

/** The group is read from the id: az leaves the property out in some versions. */
export const site = z
  .object({
    id: z.string(),
    name: z.string(),
    defaultHostName: z.string(),
    state: z.string(),
    /** `Disabled`: only its network reaches it. */
    publicNetworkAccess: z.string().nullish(),
  })
  .transform((one) => ({ ...one, resourceGroup: one.id.split('/')[4] ?? '' }));
export type Site = z.infer<typeof site>;

export const listSites = (group: string | undefined): Command => ({
  argv: ['az', 'functionapp', 'list', ...(group === undefined ? [] : ['--resource-group', group]), ...json],
});

const place = ({ name, resourceGroup }: Site) => ['--name', name, '--resource-group', resourceGroup, ...json];
/** A path is of the management of the cloud that az is set to; a sovereign cloud has its own. */
const get = (url: string): Command => ({ argv: ['az', 'rest', '--method', 'get', '--url', url, ...json] });
const groupUrl = ({ id }: Site) => id.split('/').slice(0, 5).join('/');

export const listFunctions = (of: Site): Command => ({ argv: ['az', 'functionapp', 'function', 'list', ...place(of)] });
export const functions = z.array(z.object({ name: z.string(), isDisabled: z.boolean().nullish() }));

/** Answers with values: never shown. */
export const listSettings = (of: Site): Command => ({
  argv: ['az', 'functionapp', 'config', 'appsettings', 'list', ...place(of)],
});
export const settings = z.array(z.object({ name: z.string(), value: z.string().nullable() }));

/** The variant without secrets. */
export const showAuthentication = ({ id }: Site): Command => get(`${id}/config/authsettingsV2?api-version=2025-03-01`);
export const authentication = z.object({
  properties: z.object({
    platform: z.object({ enabled: z.boolean() }),
    globalValidation: z.object({
      requireAuthentication: z.boolean(),
      excludedPaths: z.array(z.string()).nullish(),
    }),
    identityProviders: z.object({
      azureActiveDirectory: z.object({
        enabled: z.boolean().nullish(),
        registration: z.object({ clientId: z.string() }),
      }),
    }),
  }),
});

export const listIdentities = (of: Site): Command => ({
  argv: ['az', 'identity', 'list', '--resource-group', of.resourceGroup, ...json],
});
export const identities = z.array(
  z.object({ id: z.string(), name: z.string(), principalId: z.string(), clientId: z.string() }),
);

export const listJobs = (of: Site): Command =>
  get(`${groupUrl(of)}/providers/Microsoft.App/jobs?api-version=2026-01-01`);
export const job = z.object({
  id: z.string(),
  name: z.string(),
  tags: z.record(z.string(), z.string()).nullish(),
  identity: z.object({ userAssignedIdentities: z.record(z.string(), z.unknown()).nullish() }).nullish(),
  properties: z.object({
    provisioningState: z.string().nullish(),
    configuration: z.object({
      triggerType: z.string(),
      registries: z.array(z.object({ identity: z.string().nullish() })).nullish(),
      secrets: z
        .array(z.object({ name: z.string(), keyVaultUrl: z.string().nullish(), identity: z.string().nullish() }))
        .nullish(),
    }),
    template: z.object({ containers: z.array(z.object({ image: z.string() })) }),
  }),
});
export type ContainerJob = z.infer<typeof job>;

/** What `lamp deploy` deployed last. @param name of the installation */
export const showDeployed = (of: Site, name: string): Command => {
  const place = ['--resource-group', of.resourceGroup, '--name', `lamplighter-${name}-all`];
  return { argv: ['az', 'deployment', 'group', 'show', ...place, ...json] };
};
const output = z.object({ value: z.string() });
const outputs = z.object({
  secondSchedulerName: output,
  appIdentityName: output,
  secondSchedulerIdentityName: output,
  /** Installations of before pulled with the identity of each job. */
  pullIdentityName: output.optional(),
  /** What a network of its own guards. */
  dataAccountName: output.optional(),
  hostAccountName: output.optional(),
  vaultName: output.optional(),
  registryName: output.optional(),
  jobs: z.object({ value: z.array(z.object({ resource: z.string(), identity: z.string() })) }),
});
export type Outputs = z.infer<typeof outputs>;
/** One that failed has no outputs. */
export const deployed = z.object({
  properties: z.object({
    outputs: outputs.nullish(),
    /** Installations of before had no choice of a network. */
    parameters: z.object({ network: z.object({ value: z.string() }).optional() }).nullish(),
  }),
});

/** What a network of its own keeps from others, and the version that each is asked in. */
export const guardedTypes = {
  'Microsoft.Storage/storageAccounts': '2025-06-01',
  'Microsoft.KeyVault/vaults': '2026-02-01',
  'Microsoft.ContainerRegistry/registries': '2025-11-01',
};
export const listGuarded = (of: Site, type: keyof typeof guardedTypes): Command =>
  get(`${groupUrl(of)}/providers/${type}?api-version=${guardedTypes[type]}`);
const rules = z.object({ defaultAction: z.string().nullish() }).nullish();
export const guarded = z.object({
  name: z.string(),
  properties: z.object({
    publicNetworkAccess: z.string().nullish(),
    networkAcls: rules,
    networkRuleSet: rules,
    privateEndpointConnections: z
      .array(
        z.object({
          properties: z.object({
            privateLinkServiceConnectionState: z.object({ status: z.string().nullish() }).nullish(),
          }),
        }),
      )
      .nullish(),
  }),
});
export type Guarded = z.infer<typeof guarded>;

/** At, above and below the group: without a filter ARM leaves none out. */
export const listAssignments = (of: Site): Command =>
  get(`${groupUrl(of)}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01`);
export const assignment = z
  .object({
    id: z.string(),
    properties: z.object({
      scope: z.string(),
      roleDefinitionId: z.string(),
      principalId: z.string(),
      principalType: z.string().nullish(),
    }),
  })
  .transform(({ id, properties }) => ({ id, ...properties }));
export type Assignment = z.infer<typeof assignment>;

export const listRoles = (of: Site): Command => {
  const scope = of.id.split('/').slice(0, 5).join('/');
  return { argv: ['az', 'role', 'definition', 'list', '--custom-role-only', 'true', '--scope', scope, ...json] };
};
export const roles = z.array(
  z.object({
    name: z.string(),
    roleName: z.string(),
    permissions: z.array(z.object({ actions: z.array(z.string()) })),
  }),
);

export const listResources = (of: Site, type: string): Command => ({
  argv: ['az', 'resource', 'list', '--resource-group', of.resourceGroup, '--resource-type', type, ...json],
});
export const resources = z.array(z.object({ id: z.string(), name: z.string() }));

export const listChannels = (of: Site): Command => ({
  argv: ['az', 'monitor', 'action-group', 'list', '--resource-group', of.resourceGroup, ...json],
});
/** Receivers come as one list for each kind: emailReceivers, webhookReceivers, … */
export const channels = z.array(z.looseObject({ id: z.string(), name: z.string(), enabled: z.boolean() }));

export const listRules = (of: Site): Command =>
  get(`${groupUrl(of)}/providers/Microsoft.Insights/scheduledQueryRules?api-version=2026-03-01`);
export const rule = z.object({
  name: z.string(),
  properties: z.object({
    enabled: z.boolean(),
    actions: z.object({ actionGroups: z.array(z.string()).nullish() }).nullish(),
  }),
});
export type Rule = z.infer<typeof rule>;

/** Answers with a token: never shown. */
export const token = (clientId: string): Command => ({
  argv: ['az', 'account', 'get-access-token', '--resource', clientId, ...json],
});
export const accessToken = z.object({ accessToken: z.string().min(1) });

export async function ask<T>(run: Run, command: Command, shape: z.ZodType<T>): Promise<Asked<T>> {
  try {
    const answer = await run(command);
    if (answer.code !== 0) return { why: failureText(command, answer) };
    return { value: parsed(command, answer.stdout, shape) };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

/** Lists of ARM come in pages. */
export async function askAll<T>(run: Run, first: Command, shape: z.ZodType<T>): Promise<Asked<T[]>> {
  const all: T[] = [];
  let next: Command | null = first;
  while (next !== null) {
    const page: Asked<{ value: T[]; nextLink?: string | null | undefined }> = await ask(
      run,
      next,
      z.object({ value: z.array(shape), nextLink: z.string().nullish() }),
    );
    if ('why' in page) return page;
    all.push(...page.value.value);
    next = page.value.nextLink ? get(page.value.nextLink) : null;
  }
  return { value: all };
}
