import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../functions/settings.ts';
import { tickPath } from '../../shared/api/paths.ts';
import { Later } from '../support/infra/bicep-functions.ts';
import {
  appNeeds,
  type ContainerJob,
  config,
  jobProblems,
  ofType,
  onTrust,
  operations,
  properties,
  published,
  quiet,
  roleProblems,
  settingProblems,
  sources,
} from '../support/infra/infra-needs.ts';
import { infra, install, sampleIndex } from '../support/infra/installation.ts';

const all = install();
const edited = (path: string, from: string | RegExp, to: string) =>
  install({ change: { [path]: (text) => text.replace(from, to) } });

describe('settings', () => {
  it('that the code reads are set, and none is set that no one reads', () => {
    expect(settingProblems(all)).toEqual([]);
  });

  it('are good ones: the code takes them as infra/ sets them', () => {
    const values = Object.entries(properties(config(all, 'appsettings'))).map(([name, value]) => {
      if (!(value instanceof Later)) return [name, String(value)];
      // What Azure fills in: addresses, a server, a client id.
      const filled = value.text.replace(/<[^>]*(loginServer|defaultHostName)>/, 'sample.azurecr.io');
      return [
        name,
        filled === value.text && /Endpoints|vaultUri/.test(filled) ? 'https://sample.core.windows.net/' : filled,
      ];
    });
    const settings = readSettings(Object.fromEntries(values));
    expect(settings).toMatchObject({
      LAMPLIGHTER_MAX_RUNNING: 50,
      LAMPLIGHTER_RETENTION_DAYS: 400,
      LAMPLIGHTER_JOB_PREFIX: 'lamp',
    });
    expect(settings.storage).toHaveProperty('tables');
  });

  it('that are removed or added are found', () => {
    const path = 'modules/app.bicep';
    expect(settingProblems(edited(path, / {4}LAMPLIGHTER_KEY_VAULT_URL: .*\n/, ''))).toEqual([
      'LAMPLIGHTER_KEY_VAULT_URL is read and not set',
    ]);
    expect(settingProblems(edited(path, 'AzureWebJobsStorage__clientId', 'AzureWebJobsStorage__clientID'))).toEqual([
      'the platform reads AzureWebJobsStorage__clientId, which is not set',
      'AzureWebJobsStorage__clientID is set and no one reads it',
    ]);
  });

  it('of the second scheduler are those that it reads', () => {
    const program = readFileSync(join(infra, 'runtime/second_scheduler/__main__.py'), 'utf8');
    const read = [...program.matchAll(/setting\(environ, ['"](\w+)['"]\)/g)].map(([, name]) => name);
    const secondScheduler = ofType(all, 'Microsoft.App/jobs').find(
      ({ name }) => name === all.outputs.secondSchedulerName,
    );
    const [container] = properties<{ template: { containers: { env: { name: string }[]; command: string[] }[] } }>(
      secondScheduler,
    ).template.containers;
    const given = container?.env.map(({ name }) => name);
    expect([...(given ?? []), 'IDENTITY_ENDPOINT', 'IDENTITY_HEADER'].sort()).toEqual(read.sort());
    expect(program).toContain(`{app}${tickPath}'`);
    const dockerfile = readFileSync(join(infra, 'runtime/Dockerfile'), 'utf8');
    expect(dockerfile).toContain(`COPY second_scheduler ${container?.command.at(-1)}\n`);
  });
});

describe('roles', () => {
  it('are there for all that is done, where it is done, and for nothing else', () => {
    expect(roleProblems(all)).toEqual([]);
  });

  it('have the ids that Microsoft has published', () => {
    const ours = JSON.parse(readFileSync(join(infra, 'roles.json'), 'utf8')) as Record<string, string>;
    const named = Object.entries(published).map(([name, id]) => [
      `${name[0]?.toLowerCase()}${name.slice(1).replaceAll(' ', '')}`,
      id,
    ]);
    expect(ours).toEqual(Object.fromEntries(named));
  });

  it('are thought of for every package that sends requests to Azure', () => {
    const imported = sources().flatMap(({ text }) =>
      [...text.matchAll(/(?:from|import\() ?'((?:@azure\/)?[a-z-]+)(?:\/[^']*)?'/g)].map(([, name = '']) => name),
    );
    const packages = new Set(
      imported.filter(
        (name) => (name.startsWith('@azure/') && !quiet.includes(name)) || name === 'applicationinsights',
      ),
    );
    expect([...packages].sort()).toEqual(appNeeds.flatMap((need) => ('code' in need ? [need.code] : [])).sort());
  });

  it('let the executor do what it calls, and nothing more', () => {
    const called = sources()
      .flatMap(({ text }) => [...text.matchAll(/import \{([^}]*)\} from '@azure\/arm-appcontainers\/api\/?\w*'/g)])
      .flatMap(([, names = '']) => names.split(',').map((name) => name.trim().replace(/ as .*/, '')));
    const used = called.filter((name) => /^[a-z]/.test(name) && !/^(type |createContainerAppsAPI)/.test(name));
    expect(used.sort()).toEqual(Object.keys(operations).sort());
    const [role] = ofType(all, 'Microsoft.Authorization/roleDefinitions');
    const { permissions, assignableScopes } = properties<{
      permissions: { actions: string[] }[];
      assignableScopes: string[];
    }>(role);
    expect(permissions).toEqual([{ actions: expect.anything() }]);
    expect(permissions[0]?.actions.toSorted()).toEqual([...Object.values(operations).flat(), ...onTrust].sort());
    expect(assignableScopes).toEqual([expect.stringMatching(/resourceGroups\/[^/]+$/)]);
  });

  it.each([
    'Microsoft.App/jobs/stop/execution/action',
    'Microsoft.App/jobs/executions/stop/action',
  ])('stop an execution, if Azure checks %s', (name) => {
    const [role] = ofType(all, 'Microsoft.Authorization/roleDefinitions');
    const [{ actions } = { actions: [] }] = properties<{ permissions: { actions: string[] }[] }>(role).permissions;
    const allows = (action: string) =>
      new RegExp(`^${action.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name);
    expect(actions.some(allows)).toBe(true);
    // Never the one that reads the secrets of a job.
    expect(
      actions.some((one) => new RegExp(`^${one.replaceAll('*', '.*')}$`).test('Microsoft.App/jobs/listSecrets/action')),
    ).toBe(false);
  });

  it('that are removed, misplaced or added are found', () => {
    expect(roleProblems(edited('modules/host-storage.bicep', '  roles.storageTableDataContributor\n', ''))).toEqual([
      `missing: id-lamp-prod-app: Storage Table Data Contributor on storageAccounts/${all.outputs.hostAccountName}`,
    ]);
    const wide = roleProblems(edited('modules/job.bicep', 'scope: secrets[i]', 'scope: vault')).join('\n');
    expect(wide).toContain(
      `missing: id-lamp-prod-lamp-push-outbound: Key Vault Secrets User on vaults/${all.outputs.vaultName}/secrets/crm-api-key`,
    );
    expect(wide).toContain(
      `no one uses: id-lamp-prod-lamp-push-outbound: Key Vault Secrets User on vaults/${all.outputs.vaultName}`,
    );
    expect(roleProblems(edited('modules/vault.bicep', /roles\.keyVaultReader/g, 'roles.keyVaultSecretsUser'))).toEqual([
      `missing: id-lamp-prod-app: Key Vault Reader on vaults/${all.outputs.vaultName}`,
      `no one uses: id-lamp-prod-app: Key Vault Secrets User on vaults/${all.outputs.vaultName}`,
    ]);
    expect(
      roleProblems(edited('modules/job.bicep', /principalId: identity\./g, 'principalId: appIdentity.')).length,
    ).toBeGreaterThan(5);
  });
});

describe('each job', () => {
  it('has a Container Apps Job, an identity and its secrets, and no other’s', () => {
    expect(jobProblems(all)).toEqual([]);
    expect(ofType(all, 'Microsoft.App/jobs')).toHaveLength(sampleIndex.jobs.length + 1);
    expect(ofType(all, 'Microsoft.ManagedIdentity/userAssignedIdentities')).toHaveLength(sampleIndex.jobs.length + 3);
  });

  it('gives its code no token of its identity', () => {
    for (const job of sampleIndex.jobs) {
      const resource = ofType(all, 'Microsoft.App/jobs').find(({ name }) => name === job.resource);
      const identity = `${String(resource?.id.split('/Microsoft.App/')[0])}/Microsoft.ManagedIdentity/userAssignedIdentities/id-lamp-prod-${job.resource}`;
      expect(properties<ContainerJob>(resource).configuration.identitySettings).toEqual([
        { identity, lifecycle: 'None' },
        { identity: identity.replace(/[^/]+$/, String(all.outputs.pullIdentityName)), lifecycle: 'None' },
      ]);
    }
  });

  it('that lacks a secret, reads it as another host or is left out is found', () => {
    const path = 'modules/job.bicep';
    expect(
      jobProblems(edited(path, 'map(job.secrets, secret => toLower', 'map(take(job.secrets, 2), secret => toLower')),
    ).toEqual(['score-prospects has no secret model-key for MODEL_KEY']);
    expect(
      jobProblems(
        edited(path, '        identity: identity.id\n      }]', '        identity: appIdentity.id\n      }]'),
      ).join(),
    ).toContain('push-outbound reads crm-api-key as ');
    expect(
      jobProblems(
        edited(
          'main.bicep',
          'take(skip(index.jobs, slice * sliceSize), sliceSize)',
          'take(skip(index.jobs, slice * sliceSize), 2)',
        ),
      ),
    ).toEqual(['check-crm has no Container Apps Job']);
  });

  it('may read its secrets only from the second stage on, when IT has set them', () => {
    const secretRoles = (stage: string) =>
      ofType(install({ stage }), 'Microsoft.Authorization/roleAssignments').filter(({ scope }) =>
        scope?.type.endsWith('/secrets'),
      );
    expect(secretRoles('foundation')).toHaveLength(0);
    expect(secretRoles('access')).toHaveLength(3);
    expect(ofType(install({ stage: 'access' }), 'Microsoft.App/jobs')).toHaveLength(0);
  });
});
