import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { person, tenant } from './entra.ts';
import { hosts, pythonNames } from './hosts.ts';
import type { CloudServer } from './server.ts';

/** The real Azure CLI, where the machine has one for tests; `.ci/run` installs it. */
export const az = process.env.LAMPLIGHTER_TEST_AZ;
const cloud = 'LampTest';

/**
 * Registers the cloud with the real az and signs a person in, all in a folder of its own.
 * @param bin folder on PATH that gets `az` and `bicep`
 * @returns the environment in which az runs
 */
export async function realAz(server: CloudServer, folder: string, bin: string): Promise<Record<string, string>> {
  if (az === undefined) throw new Error('LAMPLIGHTER_TEST_AZ is not set');
  await mkdir(folder, { recursive: true });
  const authority = join(folder, 'authority.pem');
  await writeFile(authority, server.certificate);
  const standIn = join(import.meta.dirname, 'bicep.ts');
  await program(join(bin, 'az'), `exec '${az}' "$@"`);
  await program(
    join(bin, 'bicep'),
    `[ "$1" = --version ] && echo 'Bicep CLI version 0.49.2 (0000000000)' && exit
exec '${process.execPath}' '${standIn}' "$@"`,
  );
  const environment = {
    AZURE_CONFIG_DIR: join(folder, 'config'),
    PYTHONPATH: await pythonNames(folder, server.port),
    REQUESTS_CA_BUNDLE: authority,
    AZURE_CORE_INSTANCE_DISCOVERY: 'false',
    AZURE_CORE_COLLECT_TELEMETRY: 'false',
    AZURE_CORE_ENCRYPT_TOKEN_CACHE: 'false',
    AZURE_CORE_LOGIN_EXPERIENCE_V2: 'off',
    AZURE_BICEP_USE_BINARY_FROM_PATH: 'true',
    AZURE_BICEP_CHECK_VERSION: 'false',
    HOME: folder,
    PATH: `${bin}:/usr/bin:/bin`,
  };
  const config = join(folder, 'cloud.json');
  await writeFile(config, JSON.stringify(description));
  const run = (...args: string[]) => promisify(execFile)(az ?? '', args, { env: environment });
  await run('cloud', 'register', '--name', cloud, '--skip-endpoint-discovery', '--cloud-config', `@${config}`);
  await run('cloud', 'set', '--name', cloud);
  await run('login', '--username', person.name, '--password', 'x', '--tenant', tenant, '--output', 'none');
  return environment;
}

const description = {
  endpoints: {
    resourceManager: `https://${hosts.arm}/`,
    management: `https://${hosts.arm}/`,
    activeDirectory: `https://${hosts.login}`,
    activeDirectoryResourceId: `https://${hosts.arm}/`,
    activeDirectoryGraphResourceId: `https://${hosts.graph}/`,
    microsoftGraphResourceId: `https://${hosts.graph}/`,
  },
  suffixes: {
    keyvaultDns: `.${hosts.vault}`,
    acrLoginServerEndpoint: `.${hosts.registry}`,
    storageEndpoint: hosts.storage,
  },
};

async function program(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
}
