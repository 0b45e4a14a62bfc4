import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingNames } from '../../../functions/settings.ts';
import { executionTemplate } from '../../../shared/executors/container-apps/template.ts';
import type { Job } from '../../../shared/job/job.ts';
import type { Expanded } from './bicep-expand.ts';
import { Later, type Resource } from './bicep-functions.ts';
import { environment, infra, sampleIndex } from './installation.ts';

const root = join(infra, '..');
/** Read by the Functions host, its extensions or the telemetry package, not by functions/settings.ts. */
const platformSettings = [
  'AzureWebJobsStorage__accountName',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'LAMPLIGHTER_STORAGE__credential',
  'LAMPLIGHTER_STORAGE__clientId',
  'OTEL_SERVICE_NAME',
  'AzureWebJobsDisableHomepage',
];
/** Set by the platform, or on a developer’s machine only. */
const notOurs = ['LAMPLIGHTER_STORAGE', 'WEBSITE_AUTH_ENABLED', 'AZURE_FUNCTIONS_ENVIRONMENT'];

/** Microsoft, "Azure built-in roles". */
export const published: Record<string, string> = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  'Key Vault Reader': '21090545-7ca7-4776-b22c-e363652d74d2',
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6',
  'Key Vault Secrets Officer': 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
  AcrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d',
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb',
};

/** What each client of the app does, and the role that lets it. `code`: the package that sends the requests. */
export const appNeeds = [
  { role: 'Storage Blob Data Owner', on: 'hostAccount', for: 'the host: leases, timers, the deployed package' },
  { role: 'Storage Queue Data Contributor', on: 'hostAccount', for: 'the host: its own queues' },
  { role: 'Storage Table Data Contributor', on: 'hostAccount', for: 'the host: its diagnostic events' },
  {
    role: 'Storage Blob Data Contributor',
    on: 'dataAccount',
    for: 'blobs, and the key that signs',
    code: '@azure/storage-blob',
  },
  {
    role: 'Storage Queue Data Contributor',
    on: 'dataAccount',
    for: 'launches and their trigger',
    code: '@azure/storage-queue',
  },
  { role: 'Storage Table Data Contributor', on: 'dataAccount', for: 'the history', code: '@azure/data-tables' },
  { role: 'Key Vault Reader', on: 'vault', for: 'versions and expiry, no values', code: '@azure/keyvault-secrets' },
  { role: 'Monitoring Metrics Publisher', on: 'insights', for: 'events', code: 'applicationinsights' },
  { role: 'starter', on: 'each job', for: 'start, stop, look', code: '@azure/arm-appcontainers' },
] as const;

/** Packages that send no requests of their own. */
export const quiet = ['@azure/functions', '@azure/identity'];

/** What the executor calls, and the action that Azure wants for it (Microsoft.App resource provider operations). */
export const operations: Record<string, string[]> = {
  start: ['Microsoft.App/jobs/start/action'],
  // Whichever of the two names Azure checks.
  stopExecution: ['Microsoft.App/jobs/stop/execution/action', 'Microsoft.App/jobs/executions/*'],
  jobExecution: ['Microsoft.App/jobs/execution/read'],
  list: [],
};
/** Reading the job itself, without its secrets, is no call of ours; whether a start is refused without it no one says. */
export const onTrust = ['Microsoft.App/jobs/read'];

export function sources(): { path: string; text: string }[] {
  const paths = globSync('{functions,shared}/**/*.ts', { cwd: root });
  return paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

export function ofType({ resources }: Expanded, type: string): Resource[] {
  return resources.filter((one) => one.type === type);
}
export const properties = <T = Record<string, unknown>>(resource: Resource | undefined) =>
  resource?.body.properties as T;
export const config = (from: Expanded, name: string) =>
  ofType(from, 'Microsoft.Web/sites/config').find((one) => one.name === name);

export function settingProblems(from: Expanded): string[] {
  const set = Object.keys(properties(config(from, 'appsettings')) ?? {});
  const read = settingNames.filter((name) => !notOurs.includes(name));
  return [
    ...read.filter((name) => !set.includes(name)).map((name) => `${name} is read and not set`),
    ...platformSettings
      .filter((name) => !set.includes(name))
      .map((name) => `the platform reads ${name}, which is not set`),
    ...set
      .filter((name) => ![...read, ...platformSettings].includes(name))
      .map((name) => `${name} is set and no one reads it`),
  ];
}

/** `id-lamp-prod-app: Key Vault Reader on vaults/kv-…`, what is and what must be. */
export function roleProblems(from: Expanded): string[] {
  const names = {
    ...Object.fromEntries(Object.entries(published).map(([name, id]) => [id, name])),
    [String(from.outputs.starterRoleName)]: 'starter',
  };
  const short = (scope: Resource | undefined) =>
    scope?.id.split('/providers/')[1]?.split('/').slice(1).join('/') ?? 'the resource group';
  const given = ofType(from, 'Microsoft.Authorization/roleAssignments').map((one) => {
    const { roleDefinitionId, principalId } = properties(one);
    const role = String(roleDefinitionId).split('/').at(-1) ?? '';
    const who = principalId instanceof Later ? principalId.of?.name : principalId;
    return `${who}: ${names[role] ?? role} on ${short(one.scope)}`;
  });

  const places: Record<string, string> = {
    hostAccount: `storageAccounts/${from.outputs.hostAccountName}`,
    dataAccount: `storageAccounts/${from.outputs.dataAccountName}`,
    vault: `vaults/${from.outputs.vaultName}`,
    insights: 'components/appi-lamp-prod',
  };
  const registry = `registries/${from.outputs.registryName}`;
  const app = String(from.outputs.appIdentityName);
  const needed = [
    ...appNeeds.flatMap(({ role, on }) =>
      on === 'each job'
        ? sampleIndex.jobs.map((job) => `${app}: ${role} on jobs/${job.resource}`)
        : [`${app}: ${role} on ${places[on]}`],
    ),
    ...sampleIndex.jobs.flatMap(({ resource, secrets }) => [
      ...new Set(
        secrets.map(
          ({ name }) =>
            `id-lamp-prod-${resource}: Key Vault Secrets User on ${places.vault}/secrets/${name.toLowerCase()}`,
        ),
      ),
    ]),
    // The app itself sends alerts, by addresses that are secrets.
    ...sampleIndex.alertSecrets.map((name) => `${app}: Key Vault Secrets User on ${places.vault}/secrets/${name}`),
    `${from.outputs.pullIdentityName}: AcrPull on ${registry}`,
    ...(JSON.parse(environment.LAMPLIGHTER_SECRET_OFFICERS) as { objectId: string }[]).map(
      ({ objectId }) => `${objectId}: Key Vault Secrets Officer on ${places.vault}`,
    ),
  ];
  return [
    ...needed.filter((one) => !given.includes(one)).map((one) => `missing: ${one}`),
    ...given.filter((one) => !needed.includes(one)).map((one) => `no one uses: ${one}`),
  ];
}

export interface ContainerJob {
  configuration: {
    secrets: { name: string; identity: string; keyVaultUrl: Later }[];
    identitySettings: unknown[];
    replicaTimeout: number;
  };
  template: {
    containers: {
      name: string;
      resources: { cpu: Later; memory: string };
      env: { name: string; secretRef: string }[];
    }[];
  };
}

export function jobProblems(from: Expanded): string[] {
  return sampleIndex.jobs.flatMap((job) => {
    const resource = ofType(from, 'Microsoft.App/jobs').find(({ name }) => name === job.resource);
    if (!resource) return [`${job.name} has no Container Apps Job`];
    const { configuration, template } = properties<ContainerJob>(resource);
    const identity = ofType(from, 'Microsoft.ManagedIdentity/userAssignedIdentities').find(
      ({ name }) => name === `id-lamp-prod-${job.resource}`,
    );
    const problems = identity ? [] : [`${job.name} has no identity`];
    const own = Object.keys((resource.body.identity as { userAssignedIdentities: object }).userAssignedIdentities);
    const pull = String(from.outputs.pullIdentityName);
    if (own.length !== 2 || own[0] !== identity?.id || !own[1]?.endsWith(`/${pull}`))
      problems.push(`${job.name} runs as ${own.join(', ')}`);

    const asked = Object.fromEntries(job.secrets.map(({ variable, name }) => [variable, name]));
    const wanted = executionTemplate(
      { job: job.name, run: 'r', attempt: 1 },
      { ...job, cpu: Number(job.cpu), memoryBytes: 0, secrets: asked } as unknown as Job,
      'image',
      'ticket',
    );
    const [container] = template.containers;
    if (wanted.containers?.[0]?.name !== container?.name)
      problems.push(`${job.name}: the container is called ${container?.name}`);
    for (const { name, secretRef } of wanted.containers?.[0]?.env ?? []) {
      if (!secretRef) continue;
      const secret = configuration.secrets.find((one) => one.name === secretRef);
      if (!secret) problems.push(`${job.name} has no secret ${secretRef} for ${name}`);
      else if (secret.identity !== identity?.id) problems.push(`${job.name} reads ${secretRef} as ${secret.identity}`);
      else if (secret.keyVaultUrl.text !== `<vault.properties.vaultUri>secrets/${secretRef}`)
        problems.push(`${job.name}: ${secretRef} is at ${secret.keyVaultUrl.text}`);
    }
    const kept = new Set(job.secrets.map(({ name }) => name.toLowerCase()));
    for (const { name } of configuration.secrets)
      if (!kept.delete(name)) problems.push(`${job.name} has ${name}, which it does not use`);
    return problems;
  });
}
