import type { Scripted } from './azure-tools.ts';

/** What a first deployment looks at before it makes anything, and answers with which it may go on. */
export const preflight = {
  permissions:
    'az rest --method get --url /subscriptions/s-1/providers/Microsoft.Authorization/permissions?api-version=2022-04-01 --output json',
  providers: 'az provider list --output json',
  deleted: 'az keyvault list-deleted --resource-type vault --output json',
  runtimes: 'az functionapp list-flexconsumption-runtimes --location westeurope --runtime node --output json',
  usages:
    'az rest --method get --url /subscriptions/s-1/providers/Microsoft.App/locations/westeurope/usages?api-version=2026-01-01 --output json',
};
export const services = [
  'App',
  'ContainerRegistry',
  'Insights',
  'KeyVault',
  'ManagedIdentity',
  'OperationalInsights',
  'Storage',
  'Web',
];
export const flight: Scripted[] = [
  { line: preflight.permissions, stdout: { value: [{ actions: ['*'], notActions: [] }] } },
  {
    line: preflight.providers,
    stdout: services.map((name) => ({ namespace: `Microsoft.${name}`, registrationState: 'Registered' })),
  },
  { line: preflight.deleted, stdout: [] },
  { line: preflight.runtimes, stdout: [{ version: '22' }, { version: '24' }] },
  {
    line: preflight.usages,
    stdout: { value: [{ name: { value: 'ManagedEnvironmentCount' }, currentValue: 1, limit: 15 }] },
  },
];
