import type { Expanded } from '../../infra/bicep-expand.ts';
import { Later, type Resource } from '../../infra/bicep-functions.ts';

/** What infra/ has made: the resources of its last deployment as Azure shows them, with what only Azure knows filled in. */
export class Standing {
  readonly resources: Resource[];
  readonly outputs: Record<string, unknown>;
  /** Host and port of the app. */
  private readonly host: string;

  constructor(expanded: Expanded, host: string) {
    this.host = host;
    this.resources = expanded.resources;
    this.outputs = this.filled(expanded.outputs) as Record<string, unknown>;
  }

  ofType(type: string): Resource[] {
    return this.resources.filter((one) => one.type === type);
  }

  properties<T = Record<string, unknown>>(resource: Resource | undefined): T {
    return this.filled(resource?.body.properties ?? {}) as T;
  }

  body(resource: Resource): Record<string, unknown> {
    return this.filled(resource.body) as Record<string, unknown>;
  }

  /** Role assignments as Azure lists them. */
  assignments() {
    return this.ofType('Microsoft.Authorization/roleAssignments').map((one) => ({
      id: one.id,
      properties: {
        scope: one.scope?.id ?? '',
        ...this.properties<{ roleDefinitionId: string; principalId: string }>(one),
      },
    }));
  }

  private filled(value: unknown): unknown {
    if (value instanceof Later) return this.known(value);
    if (Array.isArray(value)) return value.map((one) => this.filled(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.filled(one)]));
  }

  private known({ text, of }: Later): unknown {
    const number = /^json\('([\d.]+)'\)$/.exec(text)?.[1];
    if (number !== undefined) return Number(number);
    if (text.includes('<')) return text.replaceAll(/<([^>]*)>/g, (_, inner: string) => this.property(inner, of));
    return this.property(text, of);
  }

  private property(expression: string, of: Resource | undefined): string {
    const name = String(of?.name ?? '');
    const called = (type: string) => String(this.ofType(type)[0]?.name ?? '');
    const last = expression.split('.').at(-1) ?? '';
    const address = /primaryEndpoints\.(blob|queue|table)$/.exec(expression)?.[1];
    if (address) return `https://${name}.${address}.core.windows.net/`;
    const values: Record<string, () => string> = {
      principalId: () => `p-${name}`,
      clientId: () => `c-${name}`,
      loginServer: () => `${called('Microsoft.ContainerRegistry/registries')}.azurecr.io`,
      vaultUri: () => `https://${called('Microsoft.KeyVault/vaults')}.vault.azure.net/`,
      defaultHostName: () => this.host,
      ConnectionString: () => 'InstrumentationKey=00000000-0000-0000-0000-000000000000',
    };
    const value = values[last];
    if (!value) throw new Error(`the world of this test does not know ${expression}`);
    return value();
  }
}

/** Whether a role with these actions allows one, as Azure reads wildcards. */
export function allows(actions: readonly string[], wanted: string): boolean {
  return actions.some((one) => new RegExp(`^${one.replaceAll('.', '\\.').replaceAll('*', '.*')}$`, 'i').test(wanted));
}
