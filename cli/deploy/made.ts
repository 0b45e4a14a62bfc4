import { z } from 'zod';
import { nearest } from '../../shared/nearest.ts';
import { Refusal } from '../refusal.ts';
import { showDeployment } from './az.ts';
import type { Deployment } from './deployment.ts';

const shape = z.object({
  properties: z.object({
    provisioningState: z.string(),
    outputs: z.record(z.string(), z.object({ value: z.unknown() })).nullish(),
  }),
});

/**
 * Outputs of infra/main.bicep as the last deployment gave them; one that failed gave none, then those of the stage before.
 * @throws Refusal when there is no deployment, or none that was finished
 */
export async function made(deployment: Deployment): Promise<Record<string, unknown>> {
  const { target, maybe, say } = deployment;
  const failed: string[] = [];
  for (const stage of ['all', 'access', 'foundation'] as const) {
    const outputs = (await maybe(showDeployment(target, stage), shape))?.properties;
    if (!outputs) continue;
    if (!outputs.outputs) {
      failed.push(stage);
      continue;
    }
    if (failed.length > 0)
      say(`The deployment of ${failed.join(' and ')} failed or is under way: this is what ${stage} made.`);
    return Object.fromEntries(Object.entries(outputs.outputs).map(([name, { value }]) => [name, value]));
  }
  if (failed.length > 0)
    throw new Refusal(
      `No deployment of ${target.name} in ${target.group} has been finished yet: lamp deploy goes on with it`,
    );
  throw new Refusal(
    `There is no deployment of ${target.name} in ${target.group}, in the subscription that az is set to: expected one that lamp deploy ` +
      'made. Name it: --name, --resource-group or --environment; az account set --subscription <it>',
  );
}

/** @throws Refusal that names the nearest */
export function outputOf(all: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(all, name)) return all[name];
  const names = Object.keys(all);
  const near = nearest(name, names);
  throw new Refusal(`There is no output ${name}. ${near ? `Did you mean ${near}?` : `There are: ${names.join(', ')}`}`);
}
