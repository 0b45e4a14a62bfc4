import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { compiled } from '../azure-tools.ts';
import { person, tenant } from './entra.ts';
import { hosts, pythonNames } from './hosts.ts';
import type { CloudServer } from './server.ts';

/** The real Azure CLI, where the machine has one for tests; `.ci/run` installs it. */
export const az = process.env.LAMPLIGHTER_TEST_AZ;
const cloud = 'LampTest';

export interface RealAz {
  /** In which az runs. */
  environment: Record<string, string>;
  end(): void;
}

/**
 * Registers the cloud with the real az and signs a person in, all in a folder of its own.
 * @param bin folder on PATH that gets `az` and `bicep`
 */
export async function realAz(server: CloudServer, folder: string, bin: string): Promise<RealAz> {
  if (az === undefined) throw new Error('LAMPLIGHTER_TEST_AZ is not set');
  await mkdir(folder, { recursive: true });
  const authority = join(folder, 'authority.pem');
  await writeFile(authority, server.certificate);
  const standIn = join(import.meta.dirname, 'bicep.ts');
  await program(
    join(bin, 'bicep'),
    `#!/bin/sh
[ "$1" = --version ] && echo 'Bicep CLI version 0.49.2 (0000000000)' && exit
${compiled} exec '${process.execPath}' '${standIn}' "$@"`,
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
  const run = (file: string, ...args: string[]) => promisify(execFile)(file, args, { env: environment });
  const file = join(bin, 'az');
  const end = await warm(az, file, join(folder, 'socket'), environment);
  await run(file, 'cloud', 'register', '--name', cloud, '--skip-endpoint-discovery', '--cloud-config', `@${config}`);
  await run(file, 'cloud', 'set', '--name', cloud);
  await run(file, 'login', '--username', person.name, '--password', 'x', '--tenant', tenant, '--output', 'none');
  return { environment, end };
}

/** Writes `az`: the same program without a second of imports for each call, where it is a Python package beside its Python. */
async function warm(
  az: string,
  file: string,
  socket: string,
  environment: Record<string, string>,
): Promise<() => void> {
  const python = join(dirname(az), 'python3');
  if (existsSync(python)) {
    const server = spawn(python, [join(import.meta.dirname, 'warm_az.py'), socket], {
      env: environment,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [said] = await once(server.stdout, 'data');
    if (String(said).trim() === 'ready') {
      await program(file, `#!${python} -IS\n${caller(socket)}`);
      return () => void server.kill();
    }
  }
  await program(file, `#!/bin/sh\nexec '${az}' "$@"`);
  return () => {};
}

/** Hands its streams and words to the az that is loaded, and leaves with its exit code. */
const caller = (socket: string) => `import json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect('${socket}')
socket.send_fds(line, [b' '], [0, 1, 2])
asked = {'argv': sys.argv[1:], 'folder': os.getcwd(), 'environment': dict(os.environ)}
line.sendall((json.dumps(asked) + chr(10)).encode())
sys.exit(int(line.recv(16) or 70))`;

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
  await writeFile(path, `${text}\n`);
  await chmod(path, 0o755);
}
