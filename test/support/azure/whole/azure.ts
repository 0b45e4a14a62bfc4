import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../../../../cli/deploy/command.ts';
import type { Answer } from '../../../../cli/deploy/run.ts';
import type { Instant } from '../../../../shared/instant.ts';
import { expand, type Files, readParams } from '../../infra/bicep-expand.ts';
import { group } from '../../infra/bicep-functions.ts';
import { infra } from '../../infra/installation.ts';
import { flight, services } from '../preflight-lines.ts';
import { looks } from './looks.ts';
import { masterKey, type Running, tokenForApp } from './running.ts';
import { Standing } from './standing.ts';

export const me = '11111111-1111-4111-8111-111111111111';
const appId = '33333333-3333-4333-8333-333333333333';
export const digest = `sha256:${'b'.repeat(64)}`;

/** What is not as it should be in this Azure. */
export interface Faults {
  /** Edits of infra/, by file: as if the installation had been deployed from such templates. */
  change: Record<string, (text: string) => string>;
  /** Time from a role assignment until it is effective, ms: in the vault, and in the registry. */
  vaultLag: number;
  pullLag: number;
  /** Whether the timer is dead after an upload, and whether a stop and a start bring it back. */
  deadTimer: 'no' | 'revives' | 'stays';
  /** Names of the secrets that IT has set, lower case. */
  secrets: string[];
}

export const noFaults: Faults = { change: {}, vaultLag: 0, pullLag: 0, deadTimer: 'no', secrets: [] };

/**
 * Azure as `az` and `func` meet it: what infra/ deploys is computed from the templates themselves, and what is asked afterwards is
 * answered from that. @param root of the repository of the test
 */
export class Azure {
  standing: Standing | undefined;
  private readonly deployments = new Map<string, unknown>();
  private readonly assigned = new Map<string, Instant>();
  private readonly images = new Map<string, string>();
  private groupStands = false;
  private readonly root: string;
  private readonly faults: Faults;
  private readonly app: Running;
  readonly asked: string[] = [];

  constructor(root: string, app: Running, faults: Faults) {
    this.root = root;
    this.app = app;
    this.faults = faults;
  }

  get now(): Instant {
    return this.app.world.now;
  }

  /** @throws Error for a line that this Azure does not know */
  run({ argv, env = {} }: Command): Answer {
    const line = argv.join(' ');
    this.asked.push(line);
    const handlers: [RegExp, (match: RegExpExecArray) => unknown][] = [
      ...this.entra(),
      ...this.management(env),
      ...this.imageCommands(),
      ...this.functions(),
      ...(this.standing ? looks(this.standing, this.app) : []),
    ];
    for (const [pattern, handle] of handlers) {
      const match = pattern.exec(line);
      if (!match) continue;
      const value = handle(match);
      if (value instanceof Failure) return { code: value.code, stdout: '', stderr: `ERROR: ${value.text}\n` };
      const stdout = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
      return { code: 0, stdout, stderr: '' };
    }
    throw new Error(`this Azure does not know: ${line}`);
  }

  private entra(): [RegExp, (match: RegExpExecArray) => unknown][] {
    return [
      [/^az version/, () => ({ 'azure-cli': '2.91.0' })],
      [/^az bicep version/, () => 'Bicep CLI version 0.49.2\n'],
      [/^func --version/, () => '4.12.0\n'],
      [
        /^az account show/,
        () => ({
          id: group.id.split('/')[2],
          name: 'Contoso',
          tenantId: 't-1',
          user: { name: 'it@contoso.com', type: 'user' },
        }),
      ],
      [/^az account get-access-token/, () => ({ accessToken: tokenForApp })],
      [/^az ad signed-in-user show/, () => ({ id: me })],
      [/^az cloud show/, () => ({ endpoints: { microsoftGraphResourceId: 'https://graph.microsoft.com/' } })],
      [/^az ad app list/, () => []],
      [/^az ad app create/, () => ({ appId, id: 'o-1', displayName: 'Lamplighter' })],
      [/^az ad sp show/, () => new Failure('Request_ResourceNotFound does not exist', 3)],
      [/^az ad sp create/, () => ({ id: 'sp-1' })],
      [/^az rest --method (patch|post) --url https:\/\/graph/, () => undefined],
      [/^az rest --method get --url https:\/\/graph.*appRoleAssignedTo/, () => ({ value: [] })],
    ];
  }

  private management(env: Record<string, string>): [RegExp, (match: RegExpExecArray) => unknown][] {
    const first = flight.map(({ line, stdout }): [RegExp, () => unknown] => {
      const words = line
        .replaceAll(/[.?*+^$()[\]{}|\\]/g, '\\$&')
        .replace('/subscriptions/s-1/', '/subscriptions/[^/]+/');
      return [new RegExp(`^${words}$`), () => stdout];
    });
    const providers = [...services, 'Network'].map((name) => ({
      namespace: `Microsoft.${name}`,
      registrationState: 'Registered',
    }));
    return [
      [/^az provider list/, () => providers],
      ...first,
      [/^az group exists/, () => `${this.groupStands}\n`],
      [
        /^az group create/,
        () => {
          this.groupStands = true;
        },
      ],
      [
        /^az deployment group show .*--name (\S+)/,
        ([, name = '']) => this.deployments.get(name) ?? new Failure('DeploymentNotFound', 3),
      ],
      [
        /^az deployment group create .*--name (\S+) .*name=(\S+)/,
        ([, name = '', called]) => this.deploy(name, called, env),
      ],
      [/^az keyvault secret list/, () => this.secretNames()],
      [
        /^az rest .*\/vaults\/[^/]+\/secrets\?/,
        () => ({ value: this.faults.secrets.map((name) => ({ name, properties: { attributes: { enabled: true } } })) }),
      ],
      [/^az rest .*actionGroups\/ag-/, () => new Failure('ResourceNotFound', 3)],
    ];
  }

  /** Which resources are there afterwards, or why not: in the words that Azure has for it. */
  private deploy(deployment: string, name: string | undefined, env: Record<string, string>): unknown {
    const index = readFileSync(join(this.root, 'infra/jobs.json'), 'utf8');
    const change = Object.fromEntries(
      Object.entries(this.faults.change).map(([path, edit]) => [path, edit(readFileSync(join(infra, path), 'utf8'))]),
    );
    const files: Files = { root: infra, instead: { 'jobs.json': index, ...change } };
    const given = readParams(files, 'dev.bicepparam', env);
    const params = { ...given.params, name };
    const all = expand(files, 'main.bicep', params);
    const problems = [...given.problems, ...all.problems];
    if (problems.length > 0)
      return new Failure(problems.map(({ at, text }) => `${at} : Error BCP000: ${text}`).join('\n'));
    const next = new Standing(all, this.app.host);
    for (const { id } of next.assignments()) if (!this.assigned.has(id)) this.assigned.set(id, this.now);
    const refused = this.refuses(next);
    if (refused) return refused;
    this.standing = next;
    this.take(next);
    const value = (values: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(values).map(([key, one]) => [key, { type: 'x', value: one }]));
    const shown = {
      properties: { provisioningState: 'Succeeded', parameters: value(params), outputs: value(next.outputs) },
    };
    this.deployments.set(deployment, shown);
    return shown;
  }

  /** A new workspace knows no table; a Container Apps Job is looked at when it is made. */
  private refuses(next: Standing): Failure | undefined {
    const [table] = next.ofType('Microsoft.OperationalInsights/workspaces/tables');
    if (table) return new Failure(`(BadRequest) The specified table ${String(table.name)} was not found.`);
    const young = (who: string, scope: string) => {
      const found = next
        .assignments()
        .find(({ properties }) => properties.principalId === who && properties.scope === scope);
      return !found || this.now - (this.assigned.get(found.id) ?? this.now) < this.faults.pullLag;
    };
    const [registry] = next.ofType('Microsoft.ContainerRegistry/registries');
    const [job] = next.ofType('Microsoft.App/jobs');
    const puller = `p-${String(next.outputs.pullIdentityName)}`;
    if (job && registry && young(puller, registry.id))
      return new Failure(
        `Field 'configuration.registries' is invalid: unable to pull image using Managed identity ${puller}`,
      );
    return undefined;
  }

  /** What the app is like after that. */
  private take(next: Standing): void {
    const config = next.ofType('Microsoft.Web/sites/config');
    const authentication = config.find(({ name }) => name === 'authsettingsV2');
    if (!authentication) return;
    const { globalValidation } = next.properties<{
      globalValidation: { requireAuthentication: boolean; excludedPaths: string[] };
    }>(authentication);
    const [role] = next.ofType('Microsoft.Authorization/roleDefinitions');
    const { permissions } = next.properties<{ permissions: { actions: string[] }[] }>(role);
    const may = next
      .assignments()
      .some(
        ({ properties }) =>
          properties.principalId === `p-${String(next.outputs.appIdentityName)}` &&
          properties.scope.endsWith('/jobs/lamp-lamplighter-canary') &&
          properties.roleDefinitionId.endsWith(String(role?.name)),
      );
    const [site] = next.ofType('Microsoft.Web/sites');
    this.app.front = {
      closed: next.properties(site).publicNetworkAccess === 'Disabled',
      required: globalValidation.requireAuthentication,
      open: globalValidation.excludedPaths,
      actions: may ? permissions.flatMap(({ actions }) => actions) : [],
    };
  }

  /** The vault itself: in a network it answers no one outside. */
  private secretNames(): unknown {
    const [vault] = this.standing?.ofType('Microsoft.KeyVault/vaults') ?? [];
    if (this.standing?.properties(vault).publicNetworkAccess === 'Disabled')
      return new Failure('(Forbidden) Public network access is disabled and request is not from a trusted service');
    const officer = this.standing
      ?.assignments()
      .find(({ properties }) => properties.principalId === me && properties.scope === vault?.id);
    if (!officer || this.now - (this.assigned.get(officer.id) ?? this.now) < this.faults.vaultLag)
      return new Failure('(Forbidden) Caller is not authorized to perform action on resource. ForbiddenByRbac');
    return this.faults.secrets.map((name) => ({ name, attributes: { enabled: true } }));
  }

  private imageCommands(): [RegExp, (match: RegExpExecArray) => unknown][] {
    return [
      [
        /^az acr repository show .*--image lamplighter-runtime[:@](\S+)/,
        ([, name = '']) =>
          this.images.has(name)
            ? { digest: this.images.get(name) }
            : new Failure('repository name not known to registry', 1),
      ],
      [/^(az acr login|docker build) /, () => undefined],
      [
        /^docker push .*lamplighter-runtime:(\S+)/,
        ([, tag = '']) => {
          this.images.set(tag, digest);
        },
      ],
      [
        /^az acr build .*--image lamplighter-runtime:(\S+)/,
        ([, tag = '']) => {
          this.images.set(tag, digest);
        },
      ],
    ];
  }

  private functions(): [RegExp, (match: RegExpExecArray) => unknown][] {
    const { app, faults } = this;
    return [
      [
        /^func azure functionapp publish/,
        () => {
          app.published = true;
          app.timer = faults.deadTimer === 'no';
          // func asks for the state of the host with the master key and no token, and believes nothing but 200.
          return app.lets('/admin/host/status', masterKey)
            ? 'Deployment completed successfully.\n'
            : new Failure('Deployment was successful but the app appears to be unhealthy, please check the app logs.');
        },
      ],
      [/^az rest --method post .*syncfunctiontriggers/, () => undefined],
      [
        /^az functionapp (stop|start) /,
        ([, verb]) => {
          app.stopped = verb === 'stop';
          if (verb === 'start' && faults.deadTimer === 'revives') app.timer = true;
        },
      ],
    ];
  }
}

/** What a command of az ends with that did not work. */
class Failure {
  readonly text: string;
  readonly code: number;

  constructor(text: string, code = 1) {
    this.text = text;
    this.code = code;
  }
}
