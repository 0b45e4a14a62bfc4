import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import type { Deployment } from './deployment.ts';
import { networks, zoneChoices } from './options.ts';
import { openReach } from './reach.ts';

/** Outputs of infra/main.bicep, and parameters of it, that a deployment goes on with. A test looks for them there. */
export const outputNames = ['appName', 'vaultName', 'registryName', 'registryLoginServer', 'jobs'] as const;

const text = z.object({ value: z.string().min(1) });
const given = z.object({
  properties: z.object({
    provisioningState: z.string(),
    parameters: z.object({
      authClientId: text,
      alertEmails: z.object({ value: z.array(z.string()) }),
      callers: z.object({ value: z.array(z.string()) }).optional(),
      callerGroups: z.object({ value: z.array(z.string()) }).optional(),
      budgetStart: text.optional(),
      runbookUrl: z.object({ value: z.string() }).optional(),
      callerClients: z.object({ value: z.array(z.string()) }).optional(),
      secretOfficers: z.object({ value: z.array(z.object({ objectId: z.string(), type: z.string() })) }).optional(),
      network: z.object({ value: z.enum(networks) }).optional(),
      networkAddress: text.optional(),
      allowedAddresses: z.object({ value: z.array(z.string()) }).optional(),
      zones: z.object({ value: z.enum(zoneChoices) }).optional(),
      runtimeImageDigest: z.object({ value: z.string() }).optional(),
    }),
    outputs: z
      .object({
        appName: text,
        vaultName: text,
        registryName: text,
        registryLoginServer: text,
        jobs: z.object({ value: z.array(z.object({ name: z.string(), secrets: z.array(z.string()) })) }),
      })
      .nullish(),
  }),
});

/** Takes from a deployment in Azure with what it was made. One that failed had parameters too. */
export function readParameters({ known }: Deployment, last: unknown): void {
  const { parameters } = given.parse(last).properties;
  known.authClientId = parameters.authClientId.value;
  known.alertEmails = parameters.alertEmails.value;
  known.callers = parameters.callers?.value ?? known.callers;
  known.callerGroups = parameters.callerGroups?.value ?? known.callerGroups;
  known.budgetStart = parameters.budgetStart?.value ?? known.budgetStart;
  known.runbookUrl = parameters.runbookUrl?.value ?? known.runbookUrl;
  known.callerClients = parameters.callerClients?.value ?? known.callerClients;
  known.secretOfficers = parameters.secretOfficers?.value ?? known.secretOfficers;
  known.reach = {
    network: parameters.network?.value ?? openReach.network,
    networkAddress: parameters.networkAddress?.value ?? openReach.networkAddress,
    allowedAddresses: parameters.allowedAddresses?.value ?? openReach.allowedAddresses,
    zones: parameters.zones?.value ?? openReach.zones,
  };
  known.digest = parameters.runtimeImageDigest?.value || null;
}

/** Takes what it has made, which one that failed does not say. */
export function readOutputs(deployment: Deployment, last: unknown): void {
  const { outputs, parameters } = given.parse(last).properties;
  if (!outputs) return;
  const { known } = deployment;
  known.app = outputs.appName.value;
  known.vault = outputs.vaultName.value;
  known.registry = outputs.registryName.value;
  known.loginServer = outputs.registryLoginServer.value;
  deployment.running = parameters.runtimeImageDigest?.value || deployment.running;
  deployment.stands = true;
}

/** The jobs of a deployment, each with the secrets that it may read since. */
export function readJobs(last: unknown): Map<string, string[]> {
  const jobs = given.parse(last).properties.outputs?.jobs.value ?? [];
  return new Map(jobs.map(({ name, secrets }) => [name, secrets]));
}

/** @throws Refusal for a step that needs what infra makes */
export function mustStand({ stands, target: { group, name } }: Deployment): void {
  if (stands) return;
  throw new Refusal(
    `In ${group} nothing of ${name} stands yet, so its registry, vault and app are not known: --from infra`,
  );
}
