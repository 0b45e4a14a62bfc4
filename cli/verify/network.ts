import type { Run } from '../deploy/run.ts';
import * as azure from './azure.ts';
import { type Finding, found, unknown, wrong } from './finding.ts';

/** An installation with a network of its own: that nothing which holds data or secrets is open to others, as it was deployed. */
export async function networkFindings(run: Run, site: azure.Site): Promise<Finding[]> {
  const all: azure.Guarded[] = [];
  for (const type of Object.keys(azure.guardedTypes) as (keyof typeof azure.guardedTypes)[]) {
    const listed = await azure.askAll(run, azure.listGuarded(site, type), azure.guarded);
    if ('why' in listed) return [unknown('network', listed.why)];
    all.push(...listed.value);
  }
  return openFindings(all);
}

export function openFindings(all: azure.Guarded[]): Finding[] {
  const remedy = 'lamp deploy --from jobs sets it as infra/ has it';
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
