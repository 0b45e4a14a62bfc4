import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import type { Deployment } from './deployment.ts';
import { allowedText, networks, zoneChoices } from './options.ts';

/** In whose network an installation is, and over how many buildings: as infra/main.bicep takes it. */
export interface Reach {
  network: (typeof networks)[number];
  networkAddress: string;
  allowedAddresses: string[];
  zones: (typeof zoneChoices)[number];
}

export const openReach: Reach = {
  network: 'public',
  networkAddress: '10.214.0.0/24',
  allowedAddresses: [],
  zones: 'off',
};

/** Whether the environment of the jobs is in a network of the installation. */
export const isJoined = ({ network, zones }: Reach) => network !== 'public' || zones !== 'off';
const isPrivate = ({ network }: Reach) => network !== 'public';
const isSpread = ({ zones }: Reach) => zones !== 'off';

/** Variables that infra/<environment>.bicepparam reads; none for what is as it would be anyway. */
export function reachVariables(reach: Reach): Record<string, string> {
  if (!isJoined(reach)) return {};
  return {
    LAMPLIGHTER_NETWORK: reach.network,
    LAMPLIGHTER_NETWORK_ADDRESS: reach.networkAddress,
    LAMPLIGHTER_ALLOWED_ADDRESSES: JSON.stringify(reach.allowedAddresses),
    LAMPLIGHTER_ZONES: reach.zones,
  };
}

const variables = z.object({
  LAMPLIGHTER_NETWORK: z.enum(networks).optional(),
  LAMPLIGHTER_NETWORK_ADDRESS: z.string().optional(),
  LAMPLIGHTER_ALLOWED_ADDRESSES: z.string().optional(),
  LAMPLIGHTER_ZONES: z.enum(zoneChoices).optional(),
});

/**
 * As the command line says, else a variable, else the last deployment, which may have failed.
 * @throws Refusal for what Azure does not change in what stands, and for a builder that could not push
 */
export function decideReach(deployment: Deployment): void {
  const { target, environment, known, stands } = deployment;
  const before = known.reach;
  const given = variables.safeParse(Object.fromEntries(Object.entries(environment).filter(([, value]) => value)));
  if (!given.success) {
    const [issue] = given.error.issues;
    throw new Refusal(`${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { data } = given;
  const allowed = target.allowedAddresses ?? allowedText(data.LAMPLIGHTER_ALLOWED_ADDRESSES);
  const asked: Reach = {
    network: target.network ?? data.LAMPLIGHTER_NETWORK ?? before.network,
    networkAddress: target.networkAddress ?? data.LAMPLIGHTER_NETWORK_ADDRESS ?? before.networkAddress,
    allowedAddresses: allowed?.split(',').filter((one) => one !== '') ?? before.allowedAddresses,
    zones: target.zones ?? data.LAMPLIGHTER_ZONES ?? before.zones,
  };
  const problem = stands ? unchangeable(before, asked) : undefined;
  if (problem) {
    const way = 'deploy a second installation beside it (--name, --resource-group), or tear this one down first';
    throw new Refusal(`${target.group}: ${problem}. Azure does not change that in what stands: ${way}`);
  }
  known.reach = asked;
  if (!stands) mustReachRegistry(deployment);
}

/** @throws Refusal when the image would be built where nothing reaches the registry */
export function mustReachRegistry({ known, target }: Deployment): void {
  if (known.reach.network === 'public' || target.builder !== 'acr' || target.image !== undefined) return;
  throw new Refusal(
    'The builders of the registry are outside its network: build on a machine that reaches it (--builder docker; docs/network.md), ' +
      'or take an image from another registry (--image, --image-from)',
  );
}

function unchangeable(before: Reach, asked: Reach): string | undefined {
  if (isJoined(before) !== isJoined(asked))
    return isJoined(asked)
      ? 'the environment of the jobs stands without a network, and is to get one'
      : 'the environment of the jobs stands in a network, and is to leave it';
  // With zones there is a network either way. A deployment removes nothing: endpoints and their names would stay behind.
  if (isPrivate(before) !== isPrivate(asked))
    return isPrivate(asked)
      ? 'the installation stands without private endpoints, and is to get them'
      : 'the installation stands with private endpoints, and is to lose them';
  if (isJoined(before) && before.networkAddress !== asked.networkAddress)
    return `the network has ${before.networkAddress}, and is to get ${asked.networkAddress}`;
  if (isSpread(before) !== isSpread(asked))
    return `zones are ${before.zones}, and are to be ${asked.zones}: environment and storage keep what they were made with`;
  return undefined;
}
