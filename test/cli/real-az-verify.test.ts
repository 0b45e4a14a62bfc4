import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jobActions } from '../../cli/verify/roles.ts';
import { az, type RealAz, realAz } from '../support/azure/cloud/az.ts';
import { type Cloud, openCloud } from '../support/azure/cloud/cloud.ts';
import { tenant } from '../support/azure/cloud/entra.ts';
import {
  assignments,
  authentication,
  bad,
  behaviour,
  deployed,
  group,
  host,
  identities,
  insights,
  jobs,
  registry,
  rule,
  settings,
  starter,
  tools,
  verify,
  verifyWorld,
} from '../support/azure/verify-world.ts';

verifyWorld();

/** Every `az` line of `lamp verify`, run by the real Azure CLI against an Azure on this machine. */
if (az === undefined) {
  if (process.env.CI) throw new Error('CI must have the real az: LAMPLIGHTER_TEST_AZ');
  console.warn('Not tested: that the real az takes every line of lamp verify (set LAMPLIGHTER_TEST_AZ to one).');
}

const web = `${group}/providers/Microsoft.Web/sites`;
const site = `${web}/func-1`;

describe.skipIf(az === undefined)('lamp verify with the real az', () => {
  let cloud: Cloud;
  let real: RealAz;

  beforeEach(async () => {
    cloud = await openCloud({
      group: 'rg-1',
      vault: 'kv-lamp-1',
      registryName: 'crlamp1',
      deployed: () => ({ outputs: {} }),
    });
    stand(cloud);
    real = await realAz(cloud.server, join(tools.root, 'az'), join(tools.root, 'bin'));
    // Nothing here signs what az signs for; the app of the test takes any token.
    behaviour.anyToken = true;
  });
  afterEach(async () => {
    real.end();
    await cloud.server.close();
  });

  test('an installation in which all is right is found right', async () => {
    const all = await verify('func-1', real.environment);
    expect(bad(all)).toEqual([]);
    expect(cloud.server.asked.filter((line) => line.endsWith('501'))).toEqual([]);
    expect(new Set(all.map(({ check }) => check)).size).toBeGreaterThan(8);
  }, 300_000);

  test('a list that Azure refuses is unknown, with what az said of it, and the others are looked at', async () => {
    cloud.fault = ({ path }) =>
      path.endsWith('/roleAssignments')
        ? { status: 403, body: { error: { code: 'AuthorizationFailed', message: 'may not read roleAssignments' } } }
        : undefined;
    const found = bad(await verify('func-1', real.environment));
    expect(new Set(found.map(({ check }) => check))).toEqual(new Set(['roles', 'secrets', 'leftovers']));
    expect(found[0]?.text).toContain('may not read roleAssignments');
  }, 300_000);
});

/** The same installation that the scripted az of the other tests describes, in the shapes of Azure's management. */
function stand({ arm }: Cloud): void {
  const list = (path: string, items: unknown[]) => arm.lists.set(path.toLowerCase(), items);
  const thing = (path: string, body: unknown) => arm.things.set(path.toLowerCase(), body);
  arm.groups.set('rg-1', { id: group, name: 'rg-1', location: 'westeurope' });
  const one = {
    id: site,
    name: 'func-1',
    type: 'Microsoft.Web/sites',
    kind: 'functionapp,linux',
    location: 'West Europe',
    properties: {
      state: 'Running',
      enabled: true,
      defaultHostName: host,
      hostNames: [host],
      serverFarmId: `${group}/providers/Microsoft.Web/serverfarms/asp-1`,
      sku: 'FlexConsumption',
    },
  };
  list(web, [one]);
  thing(site, one);
  const functions = ['tick', 'watch', 'launch', 'daily', 'http'];
  list(
    `${site}/functions`,
    functions.map((name) => ({
      id: `${site}/functions/${name}`,
      name: `func-1/${name}`,
      type: 'Microsoft.Web/sites/functions',
      properties: { name, isDisabled: false },
    })),
  );
  thing(`POST ${site}/config/appsettings/list`, { properties: settings });
  thing(`${site}/config/slotConfigNames`, { properties: {} });
  thing(`${site}/config/authsettingsV2`, authentication());
  list(
    `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities`,
    identities().map(({ id, name, principalId, clientId }) => ({
      id,
      name,
      type: 'Microsoft.ManagedIdentity/userAssignedIdentities',
      location: 'westeurope',
      properties: { principalId, clientId, tenantId: tenant },
    })),
  );
  list(`${group}/providers/Microsoft.App/jobs`, jobs());
  list(`${group}/providers/Microsoft.Authorization/roleDefinitions`, [
    {
      id: `/subscriptions/s-1/providers/Microsoft.Authorization/roleDefinitions/${starter}`,
      name: starter,
      type: 'Microsoft.Authorization/roleDefinitions',
      properties: {
        roleName: 'Lamplighter job starter',
        type: 'CustomRole',
        permissions: [{ actions: jobActions, notActions: [] }],
        assignableScopes: [group],
      },
    },
  ]);
  list(`${group}/providers/Microsoft.Authorization/roleAssignments`, assignments());
  list('/subscriptions/s-1/resources microsoft.containerregistry/registries', [{ id: registry, name: 'cr1' }]);
  list('/subscriptions/s-1/resources microsoft.insights/components', [{ id: insights, name: 'appi-1' }]);
  list(`${group}/providers/Microsoft.Insights/scheduledQueryRules`, [rule('alert-lamp-no-tick')]);
  list(`${group}/providers/Microsoft.Insights/actionGroups`, [
    {
      id: `${group}/providers/Microsoft.Insights/actionGroups/ag-lamp`,
      name: 'ag-lamp',
      type: 'Microsoft.Insights/ActionGroups',
      location: 'Global',
      properties: {
        enabled: true,
        groupShortName: 'lamp',
        emailReceivers: [{ name: 'email-0', emailAddress: 'ops@contoso.com', useCommonAlertSchema: true }],
      },
    },
  ]);
  const done = `${group}/providers/Microsoft.Resources/deployments/lamplighter-lamp-all`;
  arm.deployments.set(done.toLowerCase(), { id: done, name: 'lamplighter-lamp-all', type: 'x', ...deployed() });
}
