import { z } from 'zod';
import { checkJobs } from '../../shared/manifest/check.ts';
import { Refusal } from '../refusal.ts';
import { listSecrets, listSecretsOutside } from './az.ts';
import type { Deployment } from './deployment.ts';

const listed = z.array(
  z.object({
    name: z.string(),
    attributes: z.object({ enabled: z.boolean(), expires: z.string().nullish() }),
  }),
);

const page = z.object({
  value: z.array(
    z
      .object({ name: z.string(), properties: z.object({ attributes: z.object({ enabled: z.boolean().nullish() }) }) })
      .transform(({ name, properties: { attributes } }) => ({
        name,
        attributes: { enabled: attributes.enabled !== false },
      })),
  ),
  nextLink: z.string().nullish(),
});

/** A vault in a network answers this machine only when it is in there too: Azure's management knows the names as well. */
async function secretsThere(deployment: Deployment): Promise<{ name: string; attributes: { enabled: boolean } }[]> {
  const { known, target } = deployment;
  if (known.reach.network === 'public') return deployment.json(listSecrets(known), listed);
  const all: { name: string; attributes: { enabled: boolean } }[] = [];
  for (let next: string | null | undefined; next !== null; ) {
    const { value, nextLink } = await deployment.json(listSecretsOutside(target, known, next), page);
    all.push(...value);
    next = nextLink || null;
  }
  return all;
}

/** Every secret of every job is in the vault and can be read. @throws Refusal that says how to set those that are not */
export async function missingSecrets(deployment: Deployment, folder: string): Promise<void> {
  const wanted = new Map<string, string[]>();
  for (const { name, secrets, status } of (await checkJobs(folder)).jobs) {
    if (status === 'decommissioned') continue;
    for (const secret of Object.values(secrets)) wanted.set(secret, [...(wanted.get(secret) ?? []), name]);
  }
  if (wanted.size === 0) return deployment.say('  No job has a secret.');
  // Key Vault's names do not distinguish capitals from small letters.
  const found = new Map((await secretsThere(deployment)).map((one) => [one.name.toLowerCase(), one]));
  const problems = [...wanted].flatMap(([name, jobs]) => {
    const secret = found.get(name.toLowerCase());
    if (secret?.attributes.enabled) return [];
    return [
      `  ${name} of ${jobs.join(', ')} ${secret ? 'is disabled' : 'is missing'}: ${remedy(deployment, name, secret !== undefined)}`,
    ];
  });
  if (problems.length > 0) {
    const text = ['The vault lacks secrets of the jobs. Set them, then go on:', ...problems];
    throw new Refusal(text.join('\n'));
  }
  deployment.say(`  ${wanted.size} secrets of the jobs are in the vault ${deployment.known.vault}.`);
}

/** From a file: a value on the command line stays in the shell's history. */
function remedy({ known: { vault } }: Deployment, name: string, there: boolean): string {
  const place = `--vault-name ${vault} --name ${name}`;
  return there
    ? `az keyvault secret set-attributes ${place} --enabled true`
    : `az keyvault secret set ${place} --file <file> --encoding utf-8`;
}
