import type { Run } from '../deploy/run.ts';
import * as azure from './azure.ts';
import { type Finding, found, unknown, wrong } from './finding.ts';

/** How an installation with a network of its own was deployed. */
export interface OwnNetwork {
  closed: boolean;
  /** Of accounts, vault and registry: a resource group may hold others, whose network is no matter of ours. */
  guarded: string[];
}

const remedy = 'lamp deploy --from jobs sets it as infra/ has it';

/** That nothing which holds data or secrets is open to others, as it was deployed; nor a closed app itself. */
export async function networkFindings(run: Run, site: azure.Site, own: OwnNetwork): Promise<Finding[]> {
  const all: azure.Guarded[] = [];
  for (const type of Object.keys(azure.guardedTypes) as (keyof typeof azure.guardedTypes)[]) {
    const listed = await azure.askAll(run, azure.listGuarded(site, type), azure.guarded);
    if ('why' in listed) return [unknown('network', listed.why)];
    all.push(...listed.value);
  }
  const names = new Set(own.guarded.map((name) => name.toLowerCase()));
  const theirs = all.filter(({ name }) => names.has(name.toLowerCase()));
  if (!own.closed || site.publicNetworkAccess?.toLowerCase() === 'disabled') return openFindings(theirs);
  const text = `${site.name} is open to every network: it was deployed as closed`;
  return [wrong('network', text, remedy), ...openFindings(theirs).filter(({ state }) => state !== 'right')];
}

/** @returns undefined: it has none */
export function ownNetwork(network: string | undefined, outputs: azure.Outputs): OwnNetwork | undefined {
  if (network === undefined || network === 'public') return undefined;
  const { dataAccountName, hostAccountName, vaultName, registryName } = outputs;
  const guarded = [dataAccountName, hostAccountName, vaultName, registryName].flatMap((one) => one?.value ?? []);
  return { closed: network === 'closed', guarded };
}

export function openFindings(all: azure.Guarded[]): Finding[] {
  const problems = all.flatMap(({ name, properties }) => {
    const { publicNetworkAccess, networkAcls, networkRuleSet, privateEndpointConnections } = properties;
    const rules = networkAcls ?? networkRuleSet;
    const closed = publicNetworkAccess?.toLowerCase() === 'disabled' || rules?.defaultAction?.toLowerCase() === 'deny';
    const states = (privateEndpointConnections ?? []).map(
      (one) => one.properties.privateLinkServiceConnectionState?.status,
    );
    const waiting = states.filter((status) => status?.toLowerCase() !== 'approved');
    return [
      ...(closed ? [] : [wrong('network', `${name} is open to every network: only its token guards it`, remedy)]),
      ...(states.length === 0
        ? [wrong('network', `${name} has no private endpoint: jobs do not reach it`, remedy)]
        : []),
      ...waiting.map((status) =>
        wrong(
          'network',
          `a private endpoint of ${name} is ${status ?? 'of no state'}: jobs do not reach it by that`,
          remedy,
        ),
      ),
    ];
  });
  return found(
    'network',
    problems,
    `${all.map(({ name }) => name).join(', ')} are reached over private endpoints, not by others`,
  );
}
