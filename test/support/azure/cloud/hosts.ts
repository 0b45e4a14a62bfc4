import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Names below which a cloud of the tests' own lives; `.test` never resolves anywhere else (RFC 6761). */
export const domain = 'lamp.test';

/** Hosts of the cloud, by what they are for; a vault, a registry and an account have names of their own before them. */
export const hosts = {
  arm: `arm.${domain}`,
  login: `login.${domain}`,
  graph: `graph.${domain}`,
  vault: `vault.${domain}`,
  registry: `azurecr.${domain}`,
  storage: `core.${domain}`,
};

/** For Python: all of these names, at the port of https, are a port of this machine. @returns the folder for PYTHONPATH */
export async function pythonNames(folder: string, port: number): Promise<string> {
  const path = join(folder, 'names');
  await mkdir(path, { recursive: true });
  await writeFile(
    join(path, 'sitecustomize.py'),
    `import socket
before = socket.getaddrinfo
def getaddrinfo(host, port, *args, **kwargs):
    if str(host).endswith('.${domain}'):
        host, port = '127.0.0.1', ${port}
    return before(host, port, *args, **kwargs)
socket.getaddrinfo = getaddrinfo
`,
  );
  return path;
}
