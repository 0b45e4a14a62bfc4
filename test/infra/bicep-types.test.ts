import { describe, expect, it } from 'vitest';
import { exceptions, findTypes } from '../support/infra/bicep-types.ts';
import { install, said } from '../support/infra/installation.ts';

const types = findTypes();
if (typeof types === 'string') {
  if (process.env.CI) throw new Error(`Bicep types: ${types}`);
  console.warn(`Not tested: that infra/ fits Microsoft’s Bicep types, because ${types}.`);
}
const all = [
  install(),
  install({ file: 'dev.bicepparam' }),
  install({ params: { network: 'closed', allowedAddresses: ['203.0.113.7'], zones: 'all', restoreDays: 7 } }),
  install({ params: { auditStorage: true, alwaysReadyTicks: 1, dailyLogGb: 5, dataRedundancy: 'Standard_GZRS' } }),
];

/** What the types say of everything that is deployed after such a change of a file. */
function mistakes(path: string, from: string | RegExp, to: string): string[] {
  const { resources, problems } = install({ change: { [path]: (text) => text.replace(from, to) } });
  expect(problems).toEqual([]);
  return typeof types === 'string' ? [] : said({ problems: resources.flatMap((one) => types.check(one)) });
}

describe.skipIf(typeof types === 'string')('Microsoft’s types', () => {
  it('know every resource, property and value that is deployed', () => {
    if (typeof types === 'string') return;
    const resources = all.flatMap((one) => one.resources);
    expect(resources.length).toBeGreaterThan(150);
    expect(said({ problems: resources.flatMap((one) => types.check(one)) })).toEqual([]);
  });

  it('know every resource that is referred to, in the version that made it', () => {
    const made = new Map(all[0]?.resources.map(({ id, version }) => [id, version]));
    const others = all[0]?.existing.filter(({ id, version }) => made.has(id) && made.get(id) !== version);
    expect(others).toEqual([]);
  });

  it.each([
    [
      'a property that is misspelt',
      'modules/job.bicep',
      'replicaRetryLimit:',
      'replicaRetryLimt:',
      'properties.configuration has replicaRetryLimt, which is not known',
    ],
    [
      'a property that is missing',
      'modules/alerts.bicep',
      /groupShortName: .*\n/,
      '',
      'properties has no groupShortName, which is required',
    ],
    [
      'a value of a closed list',
      'modules/host-storage.bicep',
      "accessTier: 'Hot'",
      "accessTier: 'Warm'",
      "properties.accessTier is 'Warm': expected Hot, Cool, Premium, Cold",
    ],
    [
      'a value of an open list',
      'modules/job.bicep',
      "triggerType: 'Manual'",
      "triggerType: 'Manuel'",
      "properties.configuration.triggerType is 'Manuel'",
    ],
    [
      'text where a number belongs',
      'modules/job.bicep',
      'replicaRetryLimit: 0',
      "replicaRetryLimit: '0'",
      'properties.configuration.replicaRetryLimit is string: expected int',
    ],
    [
      'a flag where text belongs',
      'modules/app.bicep',
      "version: '24'",
      'version: true',
      'properties.functionAppConfig.runtime.version is bool: expected string',
    ],
    [
      'a number where a flag belongs',
      'modules/vault.bicep',
      'enableRbacAuthorization: true',
      'enableRbacAuthorization: 1',
      'properties.enableRbacAuthorization is int: expected bool',
    ],
    [
      'one thing where many belong',
      'modules/app.bicep',
      "excludedPaths: ['/api/finish', '/api/alerts/*', '/api/ping/*', '/admin/*']",
      "excludedPaths: '/api/finish'",
      'properties.globalValidation.excludedPaths is string: expected array',
    ],
    [
      'a number that is too large',
      'modules/data-storage.bicep',
      'var deletedDays = max(undoDays, restoreDays + 1)',
      'var deletedDays = 400',
      'days is 400: expected 1 to 365',
    ],
    [
      'a version that does not exist',
      'modules/registry.bicep',
      '@2025-11-01',
      '@2025-11-02',
      'there is no Microsoft.ContainerRegistry/registries@2025-11-02',
    ],
    [
      'a type that does not exist',
      'modules/registry.bicep',
      'ContainerRegistry/registries@',
      'ContainerRegistry/registrys@',
      'there is no Microsoft.ContainerRegistry/registrys@2025-11-01',
    ],
    [
      'a configuration that does not exist',
      'modules/app.bicep',
      "name: 'authsettingsV2'",
      "name: 'authSettingsV2'",
      "the resource has name 'authSettingsV2': expected appsettings",
    ],
    [
      'a property that can only be read',
      'modules/app.bicep',
      'httpsOnly: true',
      "httpsOnly: true\n    state: 'Running'",
      'properties.state can only be read',
    ],
    [
      'a mistake deep in a list',
      'modules/alerts.bicep',
      "timeAggregation: 'Count'",
      "timeAggregation: 'Sum'",
      "properties.criteria.allOf[0].timeAggregation is 'Sum'",
    ],
    [
      'a mistake in what came later',
      'modules/job.bicep',
      "lifecycle: 'None'",
      "lifecycle: 'Never'",
      "identitySettings[0].lifecycle is 'Never': expected All, Init, Main, None",
    ],
  ])('find %s', (_, path, from, to, message) => {
    expect(mistakes(path, from, to).join('\n')).toContain(message);
  });

  it('are older than these versions of ours, which the real compiler has taken', () => {
    const trusted = new Set(
      all.flatMap((one) => one.resources.flatMap(({ type, version }) => exceptions(type, version))),
    );
    expect([...trusted].map((one) => one.split('/')[0])).toEqual(
      expect.arrayContaining(['Microsoft.KeyVault', 'Microsoft.App']),
    );
    // A version that is neither in these types nor in the list is found by the first test of this file.
    expect(exceptions('Microsoft.KeyVault/vaults', '2023-07-01')).toEqual([]);
  });
});
