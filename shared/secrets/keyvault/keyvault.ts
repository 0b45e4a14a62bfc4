import type { TokenCredential } from '@azure/identity';
import type { SecretClientOptions, SecretProperties } from '@azure/keyvault-secrets';
import { within } from '../../clients/limit.ts';
import { vaultClient } from '../../clients/vault.ts';
import { type Instant, minute, second } from '../../instant.ts';
import { SecretError, type SecretVersion, type Vault } from '../vault.ts';
import { readRefusals, secretError } from './error.ts';

export interface KeyVaultOptions {
  /** https://….vault.azure.net */
  url: string;
  /** Needs the role Key Vault Reader on the vault: it cannot read values with it. */
  credential: TokenCredential;
  now?: () => Instant;
  /** One question, all of its pages and tries, takes no longer (ms): a vault that hangs must not hang the launcher. */
  patience?: number;
  /** How the vault is reached in other clouds, and in tests. */
  client?: SecretClientOptions;
}

/** So long an answer is good: 50 starts a second do not ask 50 times. Container Apps itself reads a secret less often. */
const keptFor = minute;

/**
 * Azure Key Vault, by the properties of secrets alone: in Azure the platform gives the values to the jobs, and nothing
 * of Lamplighter's may read them.
 */
export function keyVault(options: KeyVaultOptions): Vault {
  const { url, credential, now = Date.now, patience = 15 * second, client: more = {} } = options;
  const steps = [{ policy: readRefusals, position: 'perCall' as const }];
  const client = vaultClient({ url, credential, limitMs: patience, steps, more });
  const kept = new Map<string, { until: Instant; answer: Promise<SecretVersion> }>();

  async function newestOf(name: string, abortSignal: AbortSignal): Promise<SecretProperties | undefined> {
    let newest: SecretProperties | undefined;
    for await (const one of client.listPropertiesOfSecretVersions(name, { abortSignal })) {
      if (!newest || isNewer(one, newest)) newest = one;
    }
    return newest;
  }

  async function ask(name: string): Promise<SecretVersion> {
    const newest = await within(new URL(url).host, patience, (signal) => newestOf(name, signal)).catch((error) => {
      throw secretError(error, url);
    });
    return usable(newest, url, name);
  }

  return {
    place: url,
    async read() {
      throw new SecretError('forbidden', `is not read here: Container Apps gives it to the job straight from ${url}`);
    },
    version(name) {
      const key = name.toLowerCase();
      const found = kept.get(key);
      if (found && now() < found.until) return found.answer;
      const entry = { until: now() + keptFor, answer: ask(name) };
      kept.set(key, entry);
      // Errors are shared by those who wait for the same answer, and not kept.
      entry.answer.catch(() => kept.get(key) === entry && kept.delete(key));
      return entry.answer;
    },
  };
}

/** Versions come in no order that means anything, and their dates are whole seconds. */
function isNewer(one: SecretProperties, other: SecretProperties): boolean {
  const at = ({ createdOn, updatedOn }: SecretProperties) => [createdOn?.getTime() ?? 0, updatedOn?.getTime() ?? 0];
  const [[created = 0, updated = 0], [before = 0, touched = 0]] = [at(one), at(other)];
  return created > before || (created === before && updated > touched);
}

/** Of a missing secret Key Vault lists no versions, without an error; of a deleted one neither. @throws SecretError */
function usable(newest: SecretProperties | undefined, url: string, name: string): SecretVersion {
  const vault = new URL(url).hostname.split('.')[0];
  const which = `--vault-name ${vault} --name ${name}`;
  if (!newest?.version) {
    const how = `az keyvault secret set ${which}, or recover ${which} when it was deleted`;
    throw new SecretError('missing', `is missing from ${url}: ${how}`);
  }
  // The one that asks for a secret without its version gets the newest or, when that is disabled, a refusal; never an older.
  if (newest.enabled === false) {
    const how = `az keyvault secret set-attributes ${which} --enabled true, or set it anew`;
    throw new SecretError('disabled', `is disabled in ${url} (its newest version, ${newest.version}): ${how}`);
  }
  return {
    version: newest.version,
    validFrom: newest.notBefore?.getTime() ?? null,
    expiresOn: newest.expiresOn?.getTime() ?? null,
  };
}
