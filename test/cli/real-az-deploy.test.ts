import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { az, type RealAz, realAz } from '../support/azure/cloud/az.ts';
import { type Cloud, openCloud } from '../support/azure/cloud/cloud.ts';
import {
  bothJobs,
  deployWorld,
  file,
  machine,
  newDigest,
  packed,
  run,
  said,
  tools,
} from '../support/azure/deploy-world.ts';

deployWorld();

/** Every `az` line of `lamp deploy`, run by the real Azure CLI against an Azure on this machine. */
if (az === undefined) {
  if (process.env.CI) throw new Error('CI must have the real az: LAMPLIGHTER_TEST_AZ');
  console.warn('Not tested: that the real az takes every line of lamp deploy (set LAMPLIGHTER_TEST_AZ to one).');
}

const infra = join(import.meta.dirname, '../../infra');
const value = <T>(one: T) => ({ type: 'x', value: one });

describe.skipIf(az === undefined)('lamp deploy with the real az', () => {
  let cloud: Cloud;
  let real: RealAz;
  let failure: { code: string; message: string } | null;

  beforeEach(async () => {
    failure = null;
    cloud = await openCloud({
      group: 'rg-lamp-dev',
      vault: 'kv-lamp-1',
      registryName: 'crlamp1',
      deployed({ parameters }) {
        if (failure && parameters.stage?.value === 'all') return { error: failure };
        const outputs = {
          appName: value('func-1'),
          vaultName: value('kv-lamp-1'),
          registryName: value('crlamp1'),
          registryLoginServer: value('crlamp1.azurecr.lamp.test'),
          jobs: value(bothJobs),
        };
        return { outputs };
      },
    });
    cloud.registry.state.digest = newDigest;
    await cp(infra, join(tools.root, 'infra'), { recursive: true, filter: (path) => !/runtime|jobs\.json/.test(path) });
    await file('infra/jobs.json', packed);
    real = await realAz(cloud.server, join(tools.root, 'az'), join(tools.root, 'bin'));
    await tools.script(machine);
  });
  afterEach(async () => {
    real.end();
    await cloud.server.close();
  });

  const deploy = (options: Parameters<typeof run>[0] = {}) => run(options, { env: real.environment, processes: true });
  const unplayed = () => cloud.server.asked.filter((line) => line.endsWith('501'));
  const parametersOf = (stage: string) => {
    const found = [...cloud.arm.deployments.values()].find(({ name }) => name.endsWith(stage));
    return found?.properties.parameters as Record<string, { value: unknown }>;
  };

  test('a first deployment stops for secrets, goes on from there, and everything arrives as it was meant', async () => {
    const first = await deploy();
    expect(first.error).toContain('Crm-Api-Key of pull is missing: az keyvault secret set --vault-name kv-lamp-1');
    cloud.secrets.set('crm-api-key', true);
    const second = await deploy({ from: 'access' });
    expect(second.error).toBeNull();
    expect(unplayed()).toEqual([]);

    const [application] = cloud.entra.applications;
    expect(application).toMatchObject({
      displayName: 'Lamplighter lamp-dev',
      identifierUris: [`api://${application?.appId}`],
      api: { preAuthorizedApplications: [{ appId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46' }] },
    });
    expect(cloud.entra.principals).toHaveLength(1);
    expect(parametersOf('all')).toMatchObject({
      name: { value: 'lamp-dev' },
      stage: { value: 'all' },
      runtimeImageDigest: { value: newDigest },
      authClientId: { value: application?.appId },
      alertEmails: { value: ['ops@contoso.com'] },
    });
    expect(cloud.registry.builds).toHaveLength(1);
    expect(cloud.registry.builds[0]?.arguments).toContainEqual(
      expect.objectContaining({ name: 'BASE', value: 'docker.io/library/python:3.12-slim' }),
    );

    // Again: nothing is made twice.
    said.length = 0;
    expect((await deploy({ alertEmails: undefined as never, location: undefined as never })).error).toBeNull();
    expect(cloud.entra.applications).toHaveLength(1);
    expect(cloud.registry.builds).toHaveLength(1);
    expect(said.join('\n')).toContain('The registry has it already');

    // And shows what would change.
    expect((await deploy({ whatIf: true })).error).toBeNull();
    expect(unplayed()).toEqual([]);
  }, 540_000);

  test('what Azure refuses is named: a deployment that fails, a build that fails, a right that is missing', async () => {
    cloud.secrets.set('crm-api-key', true);
    failure = {
      code: 'RoleAssignmentUpdateNotPermitted',
      message: 'Tenant ID, application ID, principal ID, and scope are not allowed to be updated.',
    };
    const refused = await deploy();
    expect(refused.error).toContain('RoleAssignmentUpdateNotPermitted');
    expect(refused.error).toContain('Cause: an identity was deleted and made again');
    expect(refused.error).toContain('--from image');

    failure = null;
    cloud.registry.state.fails = true;
    const build = await deploy({ from: 'image', rebuild: true });
    expect(build.error).toMatch(/az acr build .* ended with \d/s);

    cloud.fault = ({ method, path }) =>
      method === 'HEAD' && path.endsWith('rg-lamp-dev')
        ? {
            status: 403,
            body: { error: { code: 'AuthorizationFailed', message: 'The client does not have authorization' } },
          }
        : undefined;
    const forbidden = await deploy({ from: 'image' });
    expect(forbidden.error).toContain('Cause: a right is missing');
  }, 540_000);
});
