import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allowedValues, checkParams, type Expanded, readParams, readSource } from '../support/infra/bicep-expand.ts';
import { bicepFiles, environment, infra, install, said, sampleIndex } from '../support/infra/installation.ts';

const sources = bicepFiles.map((path) => readSource({ root: infra }, path));
const stages = ['foundation', 'access', 'all'];
const parameterFiles = bicepFiles.filter((path) => path.endsWith('.bicepparam'));
const main = readSource({ root: infra }, 'main.bicep');

describe('the Bicep files', () => {
  it.each(sources)('$path can be read, and says what each parameter and output is', ({
    problems,
    declarations,
    path,
  }) => {
    expect(problems).toEqual([]);
    expect(declarations.length).toBeGreaterThan(0);
    if (path.endsWith('.bicepparam')) return;
    const mute = declarations.filter(
      ({ kind, decorators }) => /param|output/.test(kind) && !decorators.has('description'),
    );
    expect(mute.map(({ name }) => name)).toEqual([]);
  });

  it.each(sources)('$path has no parameter, variable or reference that nothing uses', ({
    declarations,
    root,
    path,
  }) => {
    if (path.endsWith('.bicepparam')) return;
    const uses = root
      .descendantsOfType('identifier')
      .filter((node) => node?.parent?.type !== 'object_property' || node.parent.firstNamedChild?.id !== node.id)
      .map((node) => node?.text);
    const idle = declarations.filter(
      ({ kind, name, existing }) =>
        (kind === 'param' || kind === 'var' || existing) && uses.filter((use) => use === name).length < 2,
    );
    expect(idle.map(({ name }) => name)).toEqual([]);
  });

  it('hold no clock and no chance, so that deploying again changes nothing', () => {
    for (const { root, path } of sources) {
      const calls = root.descendantsOfType('call_expression').map((node) => node?.text.split('(')[0]);
      expect(calls, path).not.toEqual(expect.arrayContaining([expect.stringMatching(/newGuid|utcNow|dateTime/)]));
    }
    expect(install()).toEqual(install());
  });

  it('hold no key, and ask Azure for none', () => {
    for (const { root, path } of sources)
      expect(root.text, path).not.toMatch(/list(Keys|Secrets|Credentials)\(|getSecret|sharedKey:/);
  });
});

describe('a deployment', () => {
  it.each(
    parameterFiles.flatMap((file) => stages.map((stage) => [file, stage] as const)),
  )('%s, stage %s: everything named is there', (file, stage) => {
    expect(said(install({ file, stage }))).toEqual([]);
  });

  it.each(
    main.declarations.flatMap((one) => (allowedValues(one) ?? []).map((value) => [one.name, value] as const)),
  )('%s = %s fits', (name, value) => {
    expect(said(install({ params: { [name]: value } }))).toEqual([]);
  });

  it('works without any job, and with 500: each of its templates is as small as Azure wants it', () => {
    expect(said(install({ index: { ...sampleIndex, jobs: [] } }))).toEqual([]);
    const all = install({ index: { ...sampleIndex, jobs: many(500) } });
    expect(said(all)).toEqual([]);
    expect(all.resources.filter(({ type }) => type === 'Microsoft.App/jobs')).toHaveLength(501);
    const slices = all.modules.filter(({ path }) => path === 'modules/jobs.bicep');
    const jobs = all.modules.filter(({ path }) => path === 'modules/job.bicep');
    expect([slices.length, jobs.length]).toEqual([13, 500]);
    // 800 deployments are kept of a resource group, and 800 resources are the most of one template.
    expect(all.modules.length).toBeLessThan(800);
    const perModule = Map.groupBy(all.resources, ({ module }) => module);
    expect(Math.max(...[...perModule.values()].map((list) => list.length))).toBeLessThan(800);
    expect(all.modules.length - jobs.length).toBeLessThan(800);

    // After expansion each job is a copy of the module with its parameters. Compiled, a module takes less than three times
    // its source (this whole template with 500 jobs took 498 KB with the real compiler, most of it jobs.json).
    const module = 3 * readFileSync(join(infra, 'modules/job.bicep')).length;
    const longest = Buffer.byteLength(JSON.stringify(many(1, 60)[0]));
    const sliceSize = Math.max(...slices.map((_, at) => Math.min(40, 500 - at * 40)));
    expect(sliceSize * (module + longest)).toBeLessThan(1_000_000);
    // All of them in one template were too large: that is why there are slices.
    expect(500 * (module + longest)).toBeGreaterThan(4_000_000);
  });

  it('makes nothing twice, and gives each module a name of its own', () => {
    const { resources, modules } = install();
    const ids = resources.map(({ id }) => id.toLowerCase());
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    expect(new Set(modules.map(({ name }) => name)).size).toBe(modules.length);
    for (const { name } of modules) expect(name.length, name).toBeLessThanOrEqual(64);
  });

  it('refers only to what an earlier module has made', () => {
    expect(tooEarly(install())).toEqual([]);
    const change = {
      'main.bicep': (text: string) =>
        text.replace('tags: tags\n  }\n  dependsOn: [foundation]\n}]', 'tags: tags\n  }\n}]'),
    };
    expect(tooEarly(install({ change }))).toContain('job-lamp-check-crm: vaults kv-lamp-prod');
    const within = {
      'modules/foundation.bicep': (text: string) => text.replaceAll('dependsOn: [identities]', 'dependsOn: []'),
    };
    expect(tooEarly(install({ change: within }))).toContain('host-storage: userAssignedIdentities id-lamp-prod-app');
  });

  it.each([
    'x2',
    'lamp-prod',
    'a-b-c-d-ef',
  ])('has names that Azure takes, whatever the installation is called: %s', (name) => {
    const { resources } = install({ params: { name } });
    const legal: Record<string, RegExp> = {
      'Microsoft.Storage/storageAccounts': /^[a-z0-9]{3,24}$/,
      'Microsoft.KeyVault/vaults': /^[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]$/,
      'Microsoft.ContainerRegistry/registries': /^[a-z0-9]{5,50}$/,
      'Microsoft.Web/sites': /^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$/,
      'Microsoft.App/jobs': /^[a-z](?!.*--)[a-z0-9-]{0,29}[a-z0-9]$/,
      'Microsoft.App/managedEnvironments': /^[a-z][a-z0-9-]{0,58}[a-z0-9]$/,
      'Microsoft.ManagedIdentity/userAssignedIdentities': /^[a-z0-9][a-z0-9-_]{2,127}$/,
      'Microsoft.OperationalInsights/workspaces': /^[a-z0-9][a-z0-9-]{2,61}[a-z0-9]$/,
      'Microsoft.Authorization/roleAssignments': /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      'Microsoft.Authorization/roleDefinitions': /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      'Microsoft.Insights/workbooks': /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    };
    for (const [type, form] of Object.entries(legal)) {
      const found = resources.filter((one) => one.type === type);
      expect(found.length, type).toBeGreaterThan(0);
      for (const one of found) expect(one.name, type).toMatch(form);
    }
    const group = resources.find(({ type }) => type === 'Microsoft.Insights/actionGroups');
    expect((group?.body.properties as { groupShortName: string }).groupShortName).toMatch(/^[a-z0-9]{1,12}$/);
  });

  it('never calls the second scheduler what a job is called', () => {
    const [job] = sampleIndex.jobs;
    const jobs = [{ ...(job as NonNullable<typeof job>), name: 'second-scheduler', resource: 'lamp-second-scheduler' }];
    const names = install({ index: { ...sampleIndex, jobs } }).resources.flatMap(({ type, name }) =>
      /jobs$|Identities$/.test(type) ? [`${type} ${name}`] : [],
    );
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(6);
  });

  it.each(['LAMPLIGHTER_AUTH_CLIENT_ID', 'LAMPLIGHTER_ALERT_EMAILS'])('is refused without %s', (missing) => {
    for (const file of parameterFiles) {
      const { [missing as keyof typeof environment]: _, ...rest } = environment;
      const { problems } = readParams({ root: infra }, file, rest);
      expect(problems.map(({ text }) => text)).toEqual([`the environment variable ${missing} is not set`]);
    }
  });

  it('is refused when the app, or the alerts, would be no one’s', () => {
    expect(refusals({ authClientId: '' })).toContain(
      'the parameter authClientId of main.bicep is too small or too large',
    );
    expect(refusals({ alertEmails: [] })).toContain(
      'the parameter alertEmails of main.bicep is too small or too large',
    );
    expect(refusals({ retentionDays: 182 })).toContain(
      'the parameter retentionDays of main.bicep is too small or too large',
    );
  });

  it('of everything fails at once without an image, instead of half-way', () => {
    expect(said(install({ params: { runtimeImageDigest: '' } })).join()).toMatch(
      /split\(runtimeImageDigest.*there is no 1/,
    );
    expect(said(install({ stage: 'access', params: { runtimeImageDigest: '' } }))).toEqual([]);
  });
});

/** Jobs like the first sample, each with this many secrets. */
function many(count: number, secrets = 3) {
  const [job] = sampleIndex.jobs;
  return Array.from({ length: count }, (_, i) => ({
    ...(job as NonNullable<typeof job>),
    name: `j${i}`,
    resource: `lamp-j${i}`,
    secrets: Array.from({ length: secrets }, (_, n) => ({ variable: `SECRET_${n}`, name: `secret-${i}-${n}` })),
  }));
}

/** Resources that a module refers to before a module that it waits for has made them. */
function tooEarly({ resources, existing, modules }: Expanded): string[] {
  const made = new Map(resources.map(({ id, module }) => [id, module]));
  const reached = (name: string): string[] => {
    const { after = [], inner = [] } = modules.find((one) => one.name === name) ?? {};
    return [name, ...inner, ...after.flatMap(reached)];
  };
  return (
    existing
      // Secrets are IT's: they are set between two stages.
      .filter(({ type }) => type !== 'Microsoft.KeyVault/vaults/secrets')
      .filter(({ id, module }) => !reached(module).includes(made.get(id) ?? 'no one'))
      .map(({ module, type, name }) => `${module}: ${type.split('/').at(-1)} ${String(name).replace(/-[^-]{8}$/, '')}`)
  );
}

function refusals(params: Record<string, unknown>): string[] {
  const { params: given } = readParams({ root: infra }, 'prod.bicepparam', environment);
  const problems: { at: string; text: string }[] = [];
  checkParams(main, { ...given, ...params }, 'prod.bicepparam', problems);
  return problems.map(({ text }) => text);
}
