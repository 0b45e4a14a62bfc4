import { DefaultAzureCredential, ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import { second } from '../instant.ts';
import { NoAnswer, within } from './limit.ts';

/** A token comes within a second; the endpoint of a managed identity that is just waking may take several. */
const tokenMs = 10 * second;

/**
 * The identity that this process acts with.
 * @param clientId of a user-assigned identity; not given: the app's own
 * @param developer on a developer's machine: the account that `az login` has signed in
 */
export function identity({ clientId, developer = false }: { clientId?: string | undefined; developer?: boolean } = {}) {
  if (developer) return bounded(new DefaultAzureCredential());
  return bounded(clientId ? new ManagedIdentityCredential({ clientId }) : new ManagedIdentityCredential());
}

/**
 * The same credential with an end to its waiting: the SDKs wait for a token without one.
 * @throws an error named like those of @azure/identity, so that it reads as "no token", not as "no answer from the service"
 */
export function bounded(credential: TokenCredential, limitMs = tokenMs): TokenCredential {
  return {
    async getToken(scopes, options) {
      try {
        return await within('the token endpoint', limitMs, (abortSignal) =>
          credential.getToken(scopes, { ...options, abortSignal }),
        );
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        throw Object.assign(new Error(error.message, { cause: error }), { name: 'AuthenticationTimeoutError' });
      }
    },
  };
}
