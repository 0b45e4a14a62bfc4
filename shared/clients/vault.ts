import type { TokenCredential } from '@azure/identity';
import { SecretClient, type SecretClientOptions } from '@azure/keyvault-secrets';
import { second } from '../instant.ts';
import { limited, type Step, shortWaits } from './limit.ts';

export interface VaultClientOptions {
  /** https://….vault.azure.net */
  url: string;
  credential: TokenCredential;
  /** A page with its token, tries and waits takes no longer, ms. */
  limitMs: number;
  /** Steps of the reader's own, around all tries. */
  steps: Step[];
  /** How the vault is reached in other clouds, and in tests. */
  more: SecretClientOptions;
}

export function vaultClient({ url, credential, limitMs, steps, more }: VaultClientOptions): SecretClient {
  return new SecretClient(url, credential, {
    retryOptions: { maxRetries: 2, retryDelayInMs: second / 2, maxRetryDelayInMs: 4 * second },
    ...more,
    additionalPolicies: [limited(limitMs), ...steps, shortWaits],
  });
}
