import { tenant } from './entra.ts';
import { hosts } from './hosts.ts';
import type { Reply, Request } from './server.ts';

/** Azure Resource Manager as az meets it: groups, deployments with polling, and lists of what stands. */
export const subscription = 's-1';
const top = `/subscriptions/${subscription}`;
export const groupId = (name: string) => `${top}/resourceGroups/${name}`;

interface Deployment {
  id: string;
  name: string;
  type: string;
  properties: Record<string, unknown>;
}

export interface Deployed {
  name: string;
  group: string;
  parameters: Record<string, { value: unknown }>;
}

export interface ArmOptions {
  /** Outputs of a deployment that has succeeded, or the error that it fails with. */
  deployed(one: Deployed): { outputs: Record<string, unknown> } | { error: { code: string; message: string } };
}

export type Arm = ReturnType<typeof arm>;

export function arm({ deployed }: ArmOptions) {
  const groups = new Map<string, object>();
  const deployments = new Map<string, Deployment>();
  /** Lists by the path that az asks for, lower case; more are added by the test. */
  const lists = new Map<string, unknown[]>();
  /** Single answers by path, lower case. */
  const things = new Map<string, unknown>();
  /** How many polls an operation takes. */
  let polls = 0;

  function deployment({ method, path, json }: Request, group: string, name: string, action: string): Reply | undefined {
    const id = `${groupId(group)}/providers/Microsoft.Resources/deployments/${name}`;
    const found = deployments.get(id.toLowerCase());
    const given = (json as { properties?: { parameters?: Deployed['parameters'] } })?.properties;
    const parameters = given?.parameters ?? {};
    const properties = {
      provisioningState: 'Succeeded',
      parameters,
      mode: 'Incremental',
      correlationId: 'c-1',
      timestamp: '2026-11-28T08:00:00Z',
      duration: 'PT1S',
    };
    if (method === 'POST' && action === 'validate')
      return { body: { id, name, type: 'Microsoft.Resources/deployments', properties } };
    if (method === 'POST' && action === 'whatIf') {
      const location = `https://${hosts.arm}${top}/operationresults/what-if?api-version=2024-11-01`;
      return { status: 202, headers: { location, 'retry-after': '1' } };
    }
    if (method === 'PUT') {
      const outcome = deployed({ name, group, parameters });
      const failed = 'error' in outcome;
      const state = failed ? { provisioningState: 'Failed', error: outcome.error } : { outputs: outcome.outputs };
      const made = { id, name, type: 'Microsoft.Resources/deployments', properties: { ...properties, ...state } };
      deployments.set(id.toLowerCase(), made);
      polls = 0;
      const status = `https://${hosts.arm}${path}/operationStatuses/1?api-version=2024-11-01`;
      return {
        status: 201,
        headers: { 'azure-asyncoperation': status, 'retry-after': '1' },
        body: { ...made, properties: { ...properties, provisioningState: 'Accepted' } },
      };
    }
    if (method !== 'GET') return undefined;
    if (!found) return notFound('DeploymentNotFound', `Deployment '${name}' could not be found.`);
    if (action === 'operationStatuses') {
      const error = found.properties.error;
      // The first polls find it under way.
      if (polls++ < 1) return { headers: { 'retry-after': '1' }, body: { status: 'Running' } };
      return { body: error ? { status: 'Failed', error } : { status: 'Succeeded' } };
    }
    if (action === 'operations') return { body: { value: [] } };
    return { body: found };
  }

  function answer(request: Request): Reply | undefined {
    const { method, path, json } = request;
    const key = `${method === 'GET' ? '' : `${method} `}${path}`.toLowerCase();
    const type = /resourceType eq '([^']*)'/.exec(request.query.get('$filter') ?? '')?.[1];
    if (path === '/subscriptions') return { body: { value: [subscriptionBody] } };
    if (path === '/tenants') return { body: { value: [{ tenantId: tenant }] } };
    if (path === top) return { body: subscriptionBody };
    if (path === `${top}/operationresults/what-if`)
      return { body: { status: 'Succeeded', properties: { changes: [] } } };
    if (method === 'POST' && path.endsWith('/syncfunctiontriggers')) return { status: 204 };
    if (method === 'GET' && path.endsWith('/providers/Microsoft.Authorization/permissions')) {
      return { body: { value: [{ actions: ['*'], notActions: [] }] } };
    }
    if (path === `${top}/providers`) return { body: { value: services.map(registered) } };
    if (path === `${top}/providers/Microsoft.KeyVault/deletedVaults`) return { body: { value: [] } };
    if (/\/locations\/[^/]+\/functionAppStacks$/.test(path)) return { body: { value: [nodeStack] } };
    if (/\/Microsoft\.App\/locations\/[^/]+\/usages$/.test(path)) {
      return { body: { value: [{ name: { value: 'ManagedEnvironmentCount' }, currentValue: 1, limit: 15 }] } };
    }
    const group = /^\/subscriptions\/[^/]+\/resourcegroups\/([^/]+)$/i.exec(path)?.[1];
    if (group !== undefined) {
      const name = group.toLowerCase();
      if (method === 'HEAD') return { status: groups.has(name) ? 204 : 404 };
      if (method === 'PUT')
        groups.set(name, {
          id: groupId(group),
          name: group,
          type: 'Microsoft.Resources/resourceGroups',
          properties: { provisioningState: 'Succeeded' },
          ...(json as object),
        });
      const found = groups.get(name);
      return found
        ? { body: found }
        : notFound('ResourceGroupNotFound', `Resource group '${group}' could not be found.`);
    }
    const one = /\/resourcegroups\/([^/]+)\/providers\/Microsoft\.Resources\/deployments\/([^/]+)(?:\/(\w+))?/i.exec(
      path,
    );
    if (one) return deployment(request, one[1] ?? '', one[2] ?? '', one[3] ?? '');
    if (things.has(key)) return { body: things.get(key) };
    if (/\/actiongroups\/[^/]+$/.test(key) && method === 'GET')
      return notFound('ResourceNotFound', 'The action group was not found.');
    const list = lists.get(key) ?? (type !== undefined && lists.get(`${key} ${type.toLowerCase()}`));
    if (list) return { body: { value: list } };
    return undefined;
  }

  return { answer, groups, deployments, lists, things };
}

const subscriptionBody = {
  id: top,
  subscriptionId: subscription,
  displayName: 'Contoso Dev',
  state: 'Enabled',
  tenantId: tenant,
  subscriptionPolicies: {},
  authorizationSource: 'RoleBased',
};

export function notFound(code: string, message: string): Reply {
  return { status: 404, body: { error: { code, message } } };
}

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
const registered = (name: string) => ({
  id: `${top}/providers/Microsoft.${name}`,
  namespace: `Microsoft.${name}`,
  registrationState: 'Registered',
  resourceTypes: [],
});

/** What `az functionapp list-flexconsumption-runtimes` reads of an answer of Azure's. */
const nodeStack = {
  name: 'node',
  properties: {
    displayText: 'Node.js',
    value: 'node',
    majorVersions: [
      {
        value: '24',
        minorVersions: [
          {
            value: '24',
            stackSettings: {
              linuxRuntimeSettings: {
                runtimeVersion: '24',
                isDefault: true,
                appInsightsSettings: { isSupported: true },
                gitHubActionSettings: { isSupported: true },
                supportedFunctionsExtensionVersions: ['~4'],
                Sku: [{ skuCode: 'FC1', functionAppConfigProperties: { runtime: { name: 'node', version: '24' } } }],
              },
            },
          },
        ],
      },
    ],
  },
};
