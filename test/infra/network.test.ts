import { describe, expect, it } from 'vitest';
import type { Resource } from '../support/infra/bicep-functions.ts';
import { ofType, properties } from '../support/infra/infra-needs.ts';
import { install, said } from '../support/infra/installation.ts';

const guarded = [
  'Microsoft.Storage/storageAccounts',
  'Microsoft.KeyVault/vaults',
  'Microsoft.ContainerRegistry/registries',
];
const inNetwork = (params: Record<string, unknown>) => {
  const all = install({ params });
  expect(said(all)).toEqual([]);
  return all;
};
const kinds = (all: ReturnType<typeof install>) => new Set(all.resources.map(({ type }) => type));
const idOf = (subnet: string) =>
  expect.stringMatching(new RegExp(`/virtualNetworks/vnet-lamp-prod/subnets/${subnet}$`));

describe('the network', () => {
  const open = inNetwork({});
  const hidden = inNetwork({ network: 'private' });
  const closed = inNetwork({ network: 'closed' });

  it('is not there unless it is asked for: everything has a public address, and Entra guards it', () => {
    expect([...kinds(open)].filter((type) => type.startsWith('Microsoft.Network/'))).toEqual([]);
    for (const one of guarded.flatMap((type) => ofType(open, type)))
      expect(properties(one).publicNetworkAccess, one.id).toBe('Enabled');
    const [environment] = ofType(open, 'Microsoft.App/managedEnvironments');
    expect(properties(environment)).toMatchObject({ vnetConfiguration: null, zoneRedundant: false });
    expect(properties(ofType(open, 'Microsoft.Web/sites')[0])).toMatchObject({ virtualNetworkSubnetId: null });
  });

  it('private: what holds data or secrets has no public access, and an endpoint for each of its services', () => {
    const targets = guarded.flatMap((type) => ofType(hidden, type));
    expect(targets).toHaveLength(4);
    for (const one of targets) {
      expect(properties(one).publicNetworkAccess, one.id).toBe('Disabled');
      const rules = properties<Record<string, { defaultAction: string }>>(one);
      expect((rules.networkAcls ?? rules.networkRuleSet)?.defaultAction, one.id).toBe('Deny');
    }
    expect(reached(hidden)).toEqual(
      targets.flatMap(({ id, type }) => servicesOf(type).map((kind) => `${id} ${kind}`)).sort(),
    );
    const [registry] = ofType(hidden, 'Microsoft.ContainerRegistry/registries');
    expect(registry?.body.sku).toEqual({ name: 'Premium' });
    // The app itself is called from outside still.
    expect(properties(ofType(hidden, 'Microsoft.Web/sites')[0])).toMatchObject({
      publicNetworkAccess: 'Enabled',
      virtualNetworkSubnetId: idOf('app'),
    });
    expect(properties(ofType(hidden, 'Microsoft.App/managedEnvironments')[0]).vnetConfiguration).toEqual({
      infrastructureSubnetId: idOf('jobs'),
      internal: true,
    });
  });

  it('closed: the app as well is reached over an endpoint only', () => {
    expect(properties(ofType(closed, 'Microsoft.Web/sites')[0]).publicNetworkAccess).toBe('Disabled');
    expect(reached(closed).filter((line) => line.endsWith(' sites'))).toHaveLength(1);
    expect(reached(closed)).toHaveLength(reached(hidden).length + 1);
  });

  it.each([
    ['private'],
    ['closed'],
  ])('%s: the name of each endpoint is found in a zone that the network asks', (network) => {
    const all = inNetwork({ network });
    const linked = ofType(all, 'Microsoft.Network/privateDnsZones/virtualNetworkLinks').map(
      ({ id }) => id.split('/')[8],
    );
    const zones = ofType(all, 'Microsoft.Network/privateDnsZones').map(({ name }) => name);
    expect(linked.sort()).toEqual([...zones].sort());
    const records = ofType(all, 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups');
    expect(records).toHaveLength(ofType(all, 'Microsoft.Network/privateEndpoints').length);
    const used = records.map((one) =>
      properties<{ privateDnsZoneConfigs: { properties: { privateDnsZoneId: string } }[] }>(one)
        .privateDnsZoneConfigs[0]?.properties.privateDnsZoneId.split('/')
        .at(-1),
    );
    expect([...new Set(used)].sort()).toEqual([...zones].sort());
  });

  it('has subnets that do not overlap, one each for jobs and app, both delegated as Azure wants it', () => {
    const [network] = ofType(
      inNetwork({ network: 'private', networkAddress: '172.20.8.0/23' }),
      'Microsoft.Network/virtualNetworks',
    );
    const { subnets } = properties<{ subnets: Subnet[] }>(network);
    expect(subnets.map(({ name, properties: { addressPrefix } }) => [name, addressPrefix])).toEqual([
      ['jobs', '172.20.8.0/25'],
      ['app', '172.20.8.128/26'],
      ['endpoints', '172.20.8.192/26'],
    ]);
    const delegated = subnets.filter(
      (one) => one.properties.delegations?.[0]?.properties.serviceName === 'Microsoft.App/environments',
    );
    expect(delegated.map(({ name }) => name)).toEqual(['jobs', 'app']);
    // Flex Consumption takes no underscore.
    for (const { name } of subnets) expect(name).not.toContain('_');
  });

  it('lets the addresses in that are named, and no others', () => {
    const all = inNetwork({ network: 'private', allowedAddresses: ['203.0.113.7'] });
    for (const one of guarded.flatMap((type) => ofType(all, type))) {
      const { publicNetworkAccess, networkAcls, networkRuleSet } = properties<Rules>(one);
      expect(publicNetworkAccess).toBe('Enabled');
      expect(networkAcls ?? networkRuleSet).toMatchObject({
        defaultAction: 'Deny',
        ipRules: [{ value: '203.0.113.7' }],
      });
    }
    // In a public installation they would only pretend to guard something.
    const { networkAcls } = properties<Rules>(
      ofType(inNetwork({ allowedAddresses: ['203.0.113.7'] }), 'Microsoft.KeyVault/vaults')[0],
    );
    expect(networkAcls).toMatchObject({ defaultAction: 'Allow', ipRules: [] });
  });
});

describe('zones', () => {
  const spread = (params: Record<string, unknown>) => {
    const all = inNetwork(params);
    return {
      jobs: properties(ofType(all, 'Microsoft.App/managedEnvironments')[0]).zoneRedundant,
      network: ofType(all, 'Microsoft.Network/virtualNetworks').length,
      endpoints: ofType(all, 'Microsoft.Network/privateEndpoints').length,
      app: properties(ofType(all, 'Microsoft.Web/serverfarms')[0]).zoneRedundant,
      accounts: ofType(all, 'Microsoft.Storage/storageAccounts').map(({ body }) => (body.sku as { name: string }).name),
    };
  };

  it('jobs: the environment gets a network, which Azure wants for it, and storage three buildings', () => {
    expect(spread({ zones: 'jobs', dataRedundancy: 'Standard_LRS' })).toEqual({
      jobs: true,
      network: 1,
      endpoints: 0,
      app: false,
      accounts: ['Standard_ZRS', 'Standard_ZRS'],
    });
    expect(spread({ zones: 'jobs', dataRedundancy: 'Standard_GZRS' }).accounts).toContain('Standard_GZRS');
    // Copies in another region alone leave those of this one in one building.
    expect(spread({ zones: 'jobs', dataRedundancy: 'Standard_GRS' }).accounts).toContain('Standard_GZRS');
    expect(spread({ dataRedundancy: 'Standard_GRS' }).accounts).toContain('Standard_GRS');
  });

  it('all: the app too; off: neither', () => {
    expect(spread({ zones: 'all' })).toMatchObject({ jobs: true, app: true });
    expect(spread({ dataRedundancy: 'Standard_LRS' })).toEqual({
      jobs: false,
      network: 0,
      endpoints: 0,
      app: false,
      accounts: ['Standard_LRS', 'Standard_LRS'],
    });
  });
});

describe('what was deleted or written over', () => {
  const kept = (params: Record<string, unknown>) => {
    const all = inNetwork(params);
    const [service] = ofType(all, 'Microsoft.Storage/storageAccounts/blobServices').filter(({ id }) =>
      id.includes(String(all.outputs.dataAccountName)),
    );
    const [policy] = ofType(all, 'Microsoft.Storage/storageAccounts/managementPolicies');
    return { service: properties(service), rules: JSON.stringify(policy?.body) };
  };

  it('can be brought back blob by blob for 14 days, or as long as it is said', () => {
    expect(kept({}).service).toMatchObject({
      deleteRetentionPolicy: { enabled: true, days: 14 },
      isVersioningEnabled: false,
    });
    expect(kept({ undoDays: 60 }).service).toMatchObject({ containerDeleteRetentionPolicy: { days: 60 } });
  });

  it('can be put back to an instant when that is asked for, with all that Azure wants for it', () => {
    const { service, rules } = kept({ restoreDays: 30 });
    expect(service).toMatchObject({
      isVersioningEnabled: true,
      changeFeed: { enabled: true },
      restorePolicy: { enabled: true, days: 30 },
      // More than the days of the restore.
      deleteRetentionPolicy: { enabled: true, days: 31 },
    });
    // The versions of heartbeats go as soon as no restore wants them, and not before.
    expect(rules).toContain('"version":{"delete":{"daysAfterCreationGreaterThan":31}}');
  });

  it.each([
    [{}, 14],
    [{ undoDays: 60 }, 60],
  ])('versions that an earlier choice of restoreDays left go after the days of an undo: %j', (params, days) => {
    expect(kept(params).rules).toContain(`"version":{"delete":{"daysAfterCreationGreaterThan":${days}}}`);
  });
});

interface Subnet {
  name: string;
  properties: { addressPrefix: string; delegations?: { properties: { serviceName: string } }[] };
}
interface Rules {
  publicNetworkAccess: string;
  networkAcls?: object;
  networkRuleSet?: object;
}

function servicesOf(type: string): string[] {
  if (type.endsWith('storageAccounts')) return ['blob', 'queue', 'table'];
  return [type.endsWith('vaults') ? 'vault' : 'registry'];
}

/** `<resource> <service>` of each private endpoint. */
function reached(all: ReturnType<typeof install>): string[] {
  return ofType(all, 'Microsoft.Network/privateEndpoints')
    .map((one: Resource) => {
      const [link] = properties<{
        privateLinkServiceConnections: { properties: { privateLinkServiceId: string; groupIds: string[] } }[];
      }>(one).privateLinkServiceConnections;
      return `${link?.properties.privateLinkServiceId} ${link?.properties.groupIds.join()}`;
    })
    .sort();
}
