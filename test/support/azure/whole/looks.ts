import { functionNames } from '../../../../cli/verify/judge.ts';
import type { Running } from './running.ts';
import type { Standing } from './standing.ts';

/** What `lamp verify` asks Azure for, and what it is answered of that which stands. */
export function looks(standing: Standing, app: Running): [RegExp, (match: RegExpExecArray) => unknown][] {
  const whole = (type: string) =>
    standing.ofType(type).map((one) => ({ ...standing.body(one), id: one.id, name: one.name }));
  const flat = (type: string) =>
    standing.ofType(type).map((one) => ({ id: one.id, name: one.name, ...standing.properties(one) }));
  const config = (name: string) => standing.ofType('Microsoft.Web/sites/config').find((one) => one.name === name);
  /** With the private endpoints that lead to it: made by one who may approve them as well. */
  const connected = ({ id, properties }: { id: string; properties?: unknown }) => ({
    ...(properties as object),
    privateEndpointConnections: standing
      .ofType('Microsoft.Network/privateEndpoints')
      .filter((one) => JSON.stringify(one.body).includes(`"${id}"`))
      .map(() => ({ properties: { privateLinkServiceConnectionState: { status: 'Approved' } } })),
  });
  return [
    [
      /^az functionapp list /,
      () =>
        standing.ofType('Microsoft.Web/sites').map(({ id, name }) => ({
          id,
          name,
          defaultHostName: app.host,
          publicNetworkAccess: standing.properties(standing.ofType('Microsoft.Web/sites')[0]).publicNetworkAccess,
          state: app.stopped ? 'Stopped' : 'Running',
        })),
    ],
    [/^az functionapp function list/, () => (app.published ? functionNames.map((name) => ({ name })) : [])],
    [
      /^az functionapp config appsettings list/,
      () => Object.entries(standing.properties(config('appsettings'))).map(([name, value]) => ({ name, value })),
    ],
    [/^az rest .*config\/authsettingsV2/, () => ({ properties: standing.properties(config('authsettingsV2')) })],
    [
      /^az identity list/,
      () =>
        standing.ofType('Microsoft.ManagedIdentity/userAssignedIdentities').map(({ id, name }) => ({
          id,
          name,
          principalId: `p-${String(name)}`,
          clientId: `c-${String(name)}`,
        })),
    ],
    [
      /^az rest .*\/providers\/(Microsoft\.(?:Storage|KeyVault|ContainerRegistry)\/\w+)\?/,
      ([, type = '']) => ({ value: whole(type).map((one) => ({ ...one, properties: connected(one) })) }),
    ],
    [/^az rest .*Microsoft\.App\/jobs\?/, () => ({ value: whole('Microsoft.App/jobs') })],
    [/^az role definition list/, () => flat('Microsoft.Authorization/roleDefinitions')],
    [/^az rest .*roleAssignments\?/, () => ({ value: standing.assignments() })],
    [
      /^az resource list .*--resource-type (\S+)/,
      ([, type = '']) => standing.ofType(type).map(({ id, name }) => ({ id, name })),
    ],
    [/^az rest .*scheduledQueryRules\?/, () => ({ value: whole('Microsoft.Insights/scheduledQueryRules') })],
    [/^az monitor action-group list/, () => flat('Microsoft.Insights/actionGroups')],
  ];
}
