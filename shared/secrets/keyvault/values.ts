import { within } from '../../clients/limit.ts';
import { vaultClient } from '../../clients/vault.ts';
import { second } from '../../instant.ts';
import { SecretError, type Vault } from '../vault.ts';
import { readRefusals, secretError } from './error.ts';
import type { KeyVaultOptions } from './keyvault.ts';

/**
 * Values of secrets in Azure Key Vault, for the few that are the service's own: addresses and passwords of alert
 * channels. The identity needs the role Key Vault Secrets User on each of them, and has it on no other.
 */
export function keyVaultValues({
  url,
  credential,
  patience = 10 * second,
  client: more = {},
}: KeyVaultOptions): Pick<Vault, 'read'> {
  const steps = [{ policy: readRefusals, position: 'perCall' as const }];
  const client = vaultClient({ url, credential, limitMs: patience, steps, more });
  return {
    async read(name) {
      const found = await within(new URL(url).host, patience, (abortSignal) =>
        client.getSecret(name, { abortSignal }),
      ).catch((error) => {
        throw secretError(error, url);
      });
      if (!found.value) throw new SecretError('missing', `${name} is empty in ${url}: store a value`);
      return { value: found.value, version: found.properties.version ?? '' };
    },
  };
}
