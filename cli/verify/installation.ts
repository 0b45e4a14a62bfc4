import type { z } from 'zod';
import type { ContainerJob, identities, resources, roles, Site } from './azure.ts';
import { type Installation, jobActions, type Who } from './roles.ts';

export interface Answers {
  settings: Map<string, string>;
  identities: z.infer<typeof identities>;
  jobs: ContainerJob[];
  roles: z.infer<typeof roles>;
  registries: z.infer<typeof resources>;
  insights: z.infer<typeof resources>;
}

/** The Container Apps Jobs that belong to jobs; one with another trigger is the second scheduler. */
export function jobsOf(all: ContainerJob[], prefix: string): ContainerJob[] {
  return all.filter(
    ({ name, properties }) => name.startsWith(`${prefix}-`) && properties.configuration.triggerType === 'Manual',
  );
}

/** Those that must have the image: jobs, and the second scheduler. */
export function withImage(all: ContainerJob[], prefix: string): ContainerJob[] {
  return [...jobsOf(all, prefix), ...all.filter(isSecondScheduler)];
}

const isSecondScheduler = ({ properties }: ContainerJob) => properties.configuration.triggerType === 'Schedule';

/** Puts together what stands, from settings and resources. @returns what is missing for that, as text */
export function installation(site: Site, answers: Answers): Installation | string[] {
  const { settings, identities, jobs, registries, insights } = answers;
  const group = groupOf(site.id);
  const missing: string[] = [];
  const setting = (name: string): string => {
    const value = settings.get(name);
    if (!value) missing.push(`the setting ${name}`);
    return value ?? '';
  };
  const only = (what: string, all: { id: string }[]): string => {
    if (all.length !== 1) missing.push(`${what}: ${all.length} in the resource group, expected one`);
    return all[0]?.id ?? '';
  };
  const account = (name: string) => `${group}/providers/Microsoft.Storage/storageAccounts/${name}`;
  const client = setting('AZURE_CLIENT_ID');
  const app = identities.find(({ clientId }) => clientId === client);
  if (!app) missing.push('the identity that AZURE_CLIENT_ID names');
  const pulls = new Set(jobs.flatMap(({ properties }) => pullersOf(properties)));
  const pullers = identities.filter(({ id }) => pulls.has(id.toLowerCase()));
  const who = (job: ContainerJob): Who => {
    const ids = Object.keys(job.identity?.userAssignedIdentities ?? {}).map((id) => id.toLowerCase());
    const own = identities.find(({ id }) => ids.includes(id.toLowerCase()) && !pulls.has(id.toLowerCase()));
    if (!own) missing.push(`the identity of the Container Apps Job ${job.name}`);
    return own ?? { name: job.name, principalId: '' };
  };
  const mine = jobsOf(jobs, setting('LAMPLIGHTER_JOB_PREFIX'));
  const secondScheduler = jobs.find(isSecondScheduler);
  const result: Installation = {
    app: app ?? { name: '', principalId: '' },
    hostAccount: account(setting('AzureWebJobsStorage__accountName')),
    dataAccount: account(firstLabel(setting('LAMPLIGHTER_STORAGE__blobServiceUri'))),
    vault: `${group}/providers/Microsoft.KeyVault/vaults/${firstLabel(setting('LAMPLIGHTER_KEY_VAULT_URL'))}`,
    registry: only('container registry', registries),
    insights: only('Application Insights', insights),
    jobs: mine.map((resource) => ({ resource, who: who(resource), secrets: secretsOf(resource) })),
    secondScheduler: secondScheduler ? who(secondScheduler) : null,
    pullers,
    starters: answers.roles.filter(startsJobsOnly).map(({ name }) => name.toLowerCase()),
  };
  return missing.length > 0 ? missing : result;
}

/** `/subscriptions/…/resourceGroups/…` of whatever is in it. */
export const groupOf = (id: string) => id.split('/').slice(0, 5).join('/');

/** `https://name.vault.azure.net/` → `name` */
export function firstLabel(url: string): string {
  return URL.parse(url)?.hostname.split('.')[0] ?? '';
}

const pullersOf = ({ configuration }: ContainerJob['properties']): string[] =>
  (configuration.registries ?? []).flatMap(({ identity }) => (identity ? [identity.toLowerCase()] : []));

function secretsOf({ properties }: ContainerJob): string[] {
  const urls = (properties.configuration.secrets ?? []).map(({ keyVaultUrl }) => keyVaultUrl ?? '');
  return urls.flatMap((url) => /\/secrets\/([^/]+)/.exec(url)?.[1] ?? []);
}

function startsJobsOnly({ permissions }: Answers['roles'][number]): boolean {
  const actions = permissions.flatMap((one) => one.actions);
  return (
    jobActions.every((action) => actions.includes(action)) && actions.every((action) => jobActions.includes(action))
  );
}
