import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { describe, expect, it } from 'vitest';
import { linkPath } from '../../shared/alerts/links.ts';
import { finishPath } from '../../shared/executors/nudge.ts';
import { pingPath } from '../../shared/executors/ping-key.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import type { Later } from '../support/infra/bicep-functions.ts';
import { config, ofType, properties } from '../support/infra/infra-needs.ts';
import { environment, infra, install } from '../support/infra/installation.ts';
import { problems as analysed, queries } from '../support/infra/kql.ts';
import { freshAccount } from '../support/storage/account.ts';

const all = install();

describe('storage', () => {
  it('has the tables, queues and containers that the code makes for itself, and no others', async () => {
    const connection = freshAccount();
    await openStore({ connection }).prepare();
    const names = async (list: AsyncIterable<{ name?: string }>) => {
      const found: string[] = [];
      for await (const { name = '' } of list) found.push(name);
      return found.sort();
    };
    const data = String(all.outputs.dataAccountName);
    const made = (kind: string) =>
      ofType(all, `Microsoft.Storage/storageAccounts/${kind}`)
        .filter(({ id }) => id.includes(`/${data}/`))
        .map(({ name }) => name)
        .sort();
    const insecure = { allowInsecureConnection: true };
    expect(made('tableServices/tables')).toEqual(
      await names(TableServiceClient.fromConnectionString(connection, insecure).listTables()),
    );
    expect(made('queueServices/queues')).toEqual(
      await names(QueueServiceClient.fromConnectionString(connection).listQueues()),
    );
    expect(made('blobServices/containers')).toEqual(
      await names(BlobServiceClient.fromConnectionString(connection).listContainers()),
    );
  });

  it('gives out no keys and nothing to the public, and keeps what must be kept', () => {
    for (const account of ofType(all, 'Microsoft.Storage/storageAccounts')) {
      expect(account.body.properties).toMatchObject({
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        minimumTlsVersion: 'TLS1_2',
        supportsHttpsTrafficOnly: true,
      });
    }
    const [policy] = ofType(all, 'Microsoft.Storage/storageAccounts/managementPolicies');
    expect(JSON.stringify(policy?.body)).toContain('"prefixMatch":["runs/"]');
    expect(JSON.stringify(policy?.body)).toContain('"delete":{"daysAfterModificationGreaterThan":400}');
    expect(ofType(all, 'Microsoft.Authorization/locks').map(({ scope }) => scope?.name)).toEqual([
      all.outputs.dataAccountName,
    ]);
  });
});

describe('the app', () => {
  const { globalValidation, identityProviders } = properties<{
    globalValidation: Record<string, unknown>;
    identityProviders: {
      azureActiveDirectory: {
        registration: object;
        validation: { allowedAudiences: string[]; defaultAuthorizationPolicy: Policy };
      };
    };
  }>(config(all, 'authsettingsV2'));
  interface Policy {
    allowedApplications: unknown[];
    allowedPrincipals: { identities: unknown[] };
  }

  it('lets no one in without a token for it, but for the nudge and the link of an alert, which are signed', () => {
    expect(globalValidation).toEqual({
      requireAuthentication: true,
      unauthenticatedClientAction: 'Return401',
      excludedPaths: [finishPath, `${linkPath}/*`, `${pingPath}/*`, '/admin/*'],
    });
    const { registration, validation } = identityProviders.azureActiveDirectory;
    const client = environment.LAMPLIGHTER_AUTH_CLIENT_ID;
    expect(registration).toMatchObject({
      clientId: client,
      openIdIssuer: expect.stringMatching(/^https:\/\/login\.microsoftonline\.com\/[0-9a-f-]+\/v2\.0$/),
    });
    expect(validation.allowedAudiences).toEqual([client, `api://${client}`]);
  });

  it('lets in the second scheduler and who is named, and no other identity of the tenant', () => {
    const { allowedApplications, allowedPrincipals } =
      identityProviders.azureActiveDirectory.validation.defaultAuthorizationPolicy;
    const [secondScheduler, ...others] = allowedPrincipals.identities;
    expect((secondScheduler as Later).of?.name).toBe(all.outputs.secondSchedulerIdentityName);
    expect(others).toEqual(JSON.parse(environment.LAMPLIGHTER_CALLERS));
    expect((allowedApplications[0] as Later).of?.name).toBe(all.outputs.secondSchedulerIdentityName);
    expect(allowedApplications).toHaveLength(2);
  });

  it('runs on the Node that it is built for, from the container that exists', () => {
    const [site] = ofType(all, 'Microsoft.Web/sites');
    const { functionAppConfig } = properties<{
      functionAppConfig: { deployment: { storage: { value: Later } }; runtime: object };
    }>(site);
    expect(functionAppConfig.runtime).toEqual({ name: 'node', version: '24' });
    expect(functionAppConfig.deployment.storage.value.text).toMatch(/>app-package$/);
    const host = ofType(all, 'Microsoft.Storage/storageAccounts/blobServices/containers').filter(({ id }) =>
      id.includes(`/${all.outputs.hostAccountName}/`),
    );
    expect(host.map(({ name }) => name)).toEqual(['app-package']);
  });

  it('has its alert rules, each with a query that can be run and columns that are there', () => {
    const rules = ofType(all, 'Microsoft.Insights/scheduledQueryRules');
    const key = ({ name }: { name: unknown }) => String(name).replace('alert-lamp-prod-', '');
    expect(rules.map(key).sort()).toEqual([
      'exceptions',
      'failed-critical',
      'failed-runs',
      'log-cap',
      'no-tick',
      'poison',
      'secret-expiry',
      'trouble',
    ]);
    // A query that calls itself an alert, and that no rule asks, would wake no one.
    const alerts = [...queries].flatMap(([name, text]) => (text.startsWith('// Alert:') ? [name] : []));
    expect(rules.map(key).sort()).toEqual(alerts);
    for (const rule of rules) {
      const { criteria, actions } = properties<{
        criteria: { allOf: { query: string; dimensions: { name: string }[] }[] };
        actions: { actionGroups: string[] };
      }>(rule);
      const [{ query, dimensions } = { query: '', dimensions: [] }] = criteria.allOf;
      expect(query, String(rule.name)).toBe(queries.get(key(rule)));
      const { problems, columns } = analysed(query);
      expect(problems, String(rule.name)).toEqual([]);
      // An alert for each value: Azure takes text only.
      for (const { name } of dimensions) expect(columns, String(rule.name)).toHaveProperty(name, 'string');
      expect(actions.actionGroups).toHaveLength(1);
    }
  });

  it('counts exceptions of each function but the one that callers outside can make fail', () => {
    const index = readFileSync(join(infra, '../functions/index.ts'), 'utf8');
    const registered = [...index.matchAll(/^app\.\w+\('(\w+)'/gm)].map(([, name]) => name);
    expect(registered.length).toBeGreaterThan(3);
    const counted = /OperationName in \(([^)]*)\)/.exec(queries.get('exceptions') ?? '')?.[1] ?? '';
    expect(registered.filter((name) => !counted.includes(`'${name}'`))).toEqual(['http']);
  });

  it('says with each alert what it means, what to do first, and where to look', () => {
    const url = 'https://github.com/contoso/jobs/blob/main/docs/runbook.md';
    const all = install({ params: { runbookUrl: url } });
    const rules = ofType(all, 'Microsoft.Insights/scheduledQueryRules');
    const page = readFileSync(join(infra, '../docs/runbook.md'), 'utf8');
    const [workbook] = ofType(all, 'Microsoft.Insights/workbooks');
    for (const rule of rules) {
      const { description, actions } = properties<{
        description: string;
        actions: { customProperties: { todo: string; runbook: string; workbook: string } };
      }>(rule);
      expect(description, String(rule.name)).toMatch(/\. Do: .*\. More: https:\/\/.* The workbook: /);
      expect(description.length, String(rule.name)).toBeLessThan(1_024);
      expect(actions.customProperties.workbook).toBe(`https://portal.azure.com/#resource${workbook?.id}`);
      expect(actions.customProperties.todo).toContain(' Do: ');
      const key = String(rule.name).replace('alert-lamp-prod-', '');
      expect(actions.customProperties.runbook).toBe(`${url}#${key}`);
      expect(page).toContain(`\n## ${key}\n`);
    }
    const [health] = ofType(all, 'Microsoft.Insights/activityLogAlerts');
    const { actions, description } = properties<{
      description: string;
      actions: { actionGroups: { webhookProperties: Record<string, string> }[] };
    }>(health);
    expect(description).toContain(`${url}#service-health`);
    expect(actions.actionGroups[0]?.webhookProperties).toMatchObject({ runbook: `${url}#service-health` });
    expect(page).toContain('\n## service-health\n');
    expect(JSON.stringify(install().resources)).toContain('"runbook":"docs/runbook.md#no-tick"');
    // An event may be five minutes late; the rule looks every five.
    const noTick = properties<{ windowSize: string; criteria: { allOf: { query: string }[] } }>(
      rules.find(({ name }) => String(name).endsWith('no-tick')),
    );
    expect(noTick.windowSize).toBe('PT15M');
    expect(noTick.criteria.allOf[0]?.query).toContain('ago(15m)');
  });

  it('has a budget unless it is switched off, and hears of incidents of Azure', () => {
    expect(ofType(all, 'Microsoft.Consumption/budgets')).toHaveLength(1);
    expect(ofType(install({ params: { monthlyBudget: 0 } }), 'Microsoft.Consumption/budgets')).toHaveLength(0);
    expect(ofType(all, 'Microsoft.Insights/activityLogAlerts')).toHaveLength(1);
  });
});
