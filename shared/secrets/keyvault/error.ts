import { isRestError, RestError, type SecretClientOptions } from '@azure/keyvault-secrets';
import { z } from 'zod';
import { tokenRemedy } from '../../clients/remedy.ts';
import { SecretError } from '../vault.ts';

export type Policy = NonNullable<SecretClientOptions['additionalPolicies']>[number]['policy'];

/** What Key Vault says of a refusal; the inner code is the one that says why. */
const refusal = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    innererror: z.object({ code: z.string().optional() }).nullish(),
  }),
});

/** When it lists, the SDK 4.12 throws away what the body of a refusal says: this reads it first. */
export const readRefusals: Policy = {
  name: 'read-refusals',
  async sendRequest(request, next) {
    const response = await next(request);
    if (response.status < 400) return response;
    const body = refusal.safeParse(parsed(response.bodyAsText)).data?.error;
    const code = body?.innererror?.code ?? body?.code ?? '';
    throw new RestError(body?.message ?? 'without a reason', { statusCode: response.status, code, request, response });
  },
};

function parsed(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** What failed when a vault was asked for a secret, distinguished by what there is to do about it. */
export function secretError(error: unknown, url: string): SecretError {
  const { name, message } = error as Error;
  const reported = message.split(/\r?\n/)[0] ?? '';
  const trouble = (kind: SecretError['trouble'], text: string) => new SecretError(kind, text, error);
  if (name === 'AbortError' || name === 'TimeoutError') return trouble('unreachable', `${url} did not answer in time`);
  if (!isRestError(error)) {
    if (!/Credential|Authentication/.test(name)) return trouble('unreachable', `${url} fails: ${reported}`);
    return trouble('unreachable', `no token could be had for ${url}: ${reported}: ${tokenRemedy(error)}`);
  }
  switch (error.statusCode) {
    case undefined:
      return trouble(
        'unreachable',
        `${url} cannot be reached: ${reported}${error.code === 'ENOTFOUND' ? noSuchHost : ''}`,
      );
    case 401:
      return trouble(
        'forbidden',
        `${url} takes no token of this identity; are both of one tenant? It says: ${reported}`,
      );
    case 403:
      return trouble(
        'forbidden',
        `may not be looked at: ${whatToDo(error.code, url)}. Key Vault says ${error.code}: ${reported}`,
      );
    case 429:
      return trouble('throttled', `${url} is asked too often: ${reported}`);
  }
  // Any other 404 is of a person in between, or of an address that is no vault's.
  if (error.statusCode === 404 && error.code === 'SecretNotFound')
    return trouble('missing', `is missing from ${url}: ${reported}`);
  return trouble('unreachable', `${url} answers ${error.statusCode} ${error.code}: ${reported}`);
}

const noSuchHost = '. Is LAMPLIGHTER_KEY_VAULT_URL right, and the name known in this network?';

function whatToDo(code: string | undefined, url: string): string {
  if (code === 'ForbiddenByFirewall' || code === 'ForbiddenByConnection')
    return `let this app through the firewall of ${url}`;
  return `give the app's identity the role Key Vault Reader on ${url}, and wait some minutes until it works`;
}
