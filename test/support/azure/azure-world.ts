import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { makePackage } from '../../../cli/deploy/package.ts';
import { containerAppsJobName, containerAppsSecretName } from '../../../shared/executors/container-apps/names.ts';
import { nudges } from '../../../shared/executors/nudge.ts';
import type { Catalog } from '../../../shared/job/catalog.ts';
import type { Parts } from '../../../shared/parts.ts';
import { register } from '../../../shared/pipeline/deployments.ts';
import { openStore } from '../../../shared/store/azure/store.ts';
import { Arm } from '../arm/arm.ts';
import { containerRunner } from '../docker/container-runner.ts';
import { startIdentityAzurite } from '../storage/azurite-identity.ts';
import { vaultHost } from '../storage/certificate.ts';
import { ManagedIdentity } from '../storage/managed-identity.ts';
import { TestKeyVault } from '../vault/keyvault.ts';
import { FunctionsHost } from './functions-host.ts';

export interface AzureOptions {
  docker: Docker;
  /** The runtime image. */
  image: string;
  catalog: Catalog;
  /** Of the vault: name → value. */
  secrets?: Record<string, string>;
  /** For containers: `/host/path:/container/path:ro`. */
  binds?: string[];
  tickEveryMs?: number;
}

export type AzureWorld = Awaited<ReturnType<typeof openAzure>>;

/**
 * A whole installation as it is in Azure, on this machine: the published package in a worker, storage and vault by the
 * tokens of its identity, and executions through Azure's management, which runs real containers with the real shim.
 */
export async function openAzure({ docker, image, catalog, secrets = {}, binds = [], ...more }: AzureOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'lamp-azure-'));
  const app = join(folder, 'app');
  await makePackage({ catalog, prefix: 'lamp', out: app, index: join(folder, 'jobs.json') });

  const azurite = await startIdentityAzurite();
  const connection = azurite.freshAccount();
  const account = azurite.identityOf(connection);
  const store = openStore(account);
  await store.prepare();

  const vault = await TestKeyVault.start();
  const created = Math.floor(Date.now() / 1_000) - 3_600;
  for (const name of Object.keys(secrets)) vault.secrets.set(name.toLowerCase(), [{ created }]);

  /** Of each attempt, how its containers left: 0 delivered a result, 75 found the attempt taken. */
  const exits = new Map<string, number[]>();
  const runner = containerRunner({
    docker,
    image,
    binds: [...binds, `${azurite.certFile}:/etc/lamp-test.pem:ro`],
    env: { SSL_CERT_FILE: '/etc/lamp-test.pem' },
    ended({ env }, code) {
      const mark = env.LAMPLIGHTER_RUN ?? '';
      exits.set(mark, [...(exits.get(mark) ?? []), code]);
    },
  });
  const arm = await Arm.open(runner, resourcesOf(catalog, secrets));
  const identity = await ManagedIdentity.start();
  const host = await FunctionsHost.open();

  const authorities = join(folder, 'authorities.pem');
  const arms = arm.access.transport.tlsOptions.ca;
  const storage = await readFile(azurite.certFile, 'utf8');
  await writeFile(authorities, [storage, vault.certificate.cert, arms].join('\n'));
  const settings = {
    // With the slash at the end that Azure's own outputs have.
    LAMPLIGHTER_STORAGE__blobServiceUri: `${account.blobs}/`,
    LAMPLIGHTER_STORAGE__queueServiceUri: `${account.queues}/`,
    LAMPLIGHTER_STORAGE__tableServiceUri: `${account.tables}/`,
    AZURE_CLIENT_ID: identity.clientId,
    LAMPLIGHTER_KEY_VAULT_URL: `https://${vaultHost}:${new URL(vault.url).port}`,
    LAMPLIGHTER_SUBSCRIPTION_ID: arm.subscription,
    LAMPLIGHTER_RESOURCE_GROUP: arm.group,
    LAMPLIGHTER_MANAGEMENT_URL: `${arm.endpoint}/`,
    LAMPLIGHTER_JOB_PREFIX: 'lamp',
    LAMPLIGHTER_IMAGE: `lamp.azurecr.io/lamplighter-runtime@sha256:${'a'.repeat(64)}`,
    LAMPLIGHTER_APP_URL: host.url,
    WEBSITE_AUTH_ENABLED: 'True',
    NODE_EXTRA_CA_CERTS: authorities,
    ...identity.environment,
  };
  const names = ['--require', join(import.meta.dirname, '../storage/name-server.cjs')];

  /** What a person works with who asks for runs. */
  const parts: Parts = {
    store,
    catalog: () => catalog,
    executor: {
      name: 'none',
      startGraceMs: 0,
      needsSecretValues: false,
      image: null,
      start: () => Promise.reject(new Error('the app starts attempts, not the test')),
      status: async () => 'unknown',
      stop: async () => undefined,
    },
    vault: { place: '', read: () => Promise.reject(new Error()), version: () => Promise.reject(new Error()) },
    emit: () => undefined,
    settings: { nudges: nudges(null, () => store.keys('nudge')), cache: null },
    person: 'test',
  };

  return {
    store,
    arm,
    host,
    vault,
    identity,
    exits,
    parts,
    settings,
    async start() {
      await register(parts, catalog, Date.now());
      await host.run(app, settings, store.launches, more.tickEveryMs ?? 1_000, names);
    },
    async stop() {
      await host.stop();
      await arm.close();
      identity.stop();
      await vault.stop();
      await azurite.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The Container Apps Jobs that infra/ makes, each with the values of its own secrets. */
function resourcesOf(catalog: Catalog, secrets: Record<string, string>): Record<string, Record<string, string>> {
  const own = (names: string[]) => names.map((name) => [containerAppsSecretName(name), secrets[name] ?? '']);
  return Object.fromEntries(
    [...catalog.values()].map(({ job }) => [
      containerAppsJobName('lamp', job.name),
      Object.fromEntries(own(Object.values(job.secrets))),
    ]),
  );
}
