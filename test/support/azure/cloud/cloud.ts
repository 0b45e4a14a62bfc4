import { type Arm, type ArmOptions, arm } from './arm.ts';
import { type Entra, entra } from './entra.ts';
import { hosts } from './hosts.ts';
import { registry } from './registry.ts';
import { type CloudServer, cloudServer, type Reply, type Request } from './server.ts';

export interface Cloud {
  server: CloudServer;
  arm: Arm;
  entra: Entra;
  registry: ReturnType<typeof registry>;
  /** Names of secrets → whether enabled. */
  secrets: Map<string, boolean>;
  /** Decides first; undefined: as it is. */
  fault: (request: Request) => Reply | undefined;
}

export interface CloudOptions extends ArmOptions {
  group: string;
  vault: string;
  registryName: string;
}

/** A whole Azure for the real az: sign-in, Graph, management, one vault, one registry. */
export async function openCloud({ group, vault, registryName, ...options }: CloudOptions): Promise<Cloud> {
  const management = arm(options);
  const directory = entra();
  const images = registry(registryName, group);
  const secrets = new Map<string, boolean>();
  const cloud: Omit<Cloud, 'server'> = {
    arm: management,
    entra: directory,
    registry: images,
    secrets,
    fault: () => undefined,
  };

  function vaultAnswer({ authorization }: Request): Reply {
    if (authorization === undefined) {
      const challenge = `Bearer authorization="https://${hosts.login}/t", resource="https://${hosts.vault}"`;
      return { status: 401, headers: { 'www-authenticate': challenge }, body: {} };
    }
    const value = [...secrets].map(([name, enabled]) => ({
      id: `https://${vault}.${hosts.vault}/secrets/${name}`,
      attributes: { enabled, created: 1, updated: 1 },
    }));
    return { body: { value, nextLink: null } };
  }

  const server = await cloudServer((request) => {
    const fault = cloud.fault(request);
    if (fault) return fault;
    if (request.host === hosts.login) return directory.login(request);
    if (request.host === hosts.graph) return directory.graph(request);
    if (request.host === `${vault}.${hosts.vault}`) return vaultAnswer(request);
    if (request.host === `${registryName}.${hosts.registry}`) return images.data(request);
    if (request.host.endsWith(hosts.storage)) return images.blobs(request);
    const filter = request.query.get('$filter') ?? '';
    if (/\/resources$/.test(request.path) && /ContainerRegistry/i.test(filter))
      return management.answer(request) ?? { body: { value: [images.resource] } };
    return images.arm(request) ?? management.answer(request);
  });
  return Object.assign(cloud, { server });
}
