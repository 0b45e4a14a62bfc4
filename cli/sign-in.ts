import type { DeviceCodeCredentialOptions, TokenCredential } from '@azure/identity';
import { minute } from '../shared/instant.ts';
import { azureCli } from './azure-cli.ts';
import { exits, Refusal } from './refusal.ts';
import { rememberedToken, rememberToken } from './token-file.ts';

export interface SignIn {
  /** Address of the app, for messages. */
  place: string;
  /** A code that is typed in a browser on any machine, whatever else is there. */
  deviceCode: boolean;
  /** A new code, whatever token is kept: after a new role, or as another person. */
  anew?: boolean;
  /** Whether someone reads standard error, and can type that code. */
  person: boolean;
  /** For another cloud, and for tests. */
  options?: DeviceCodeCredentialOptions;
  /** How one signs in that has signed in already: az, the environment, the identity of the machine. */
  usual?: TokenCredential;
}

const noAz = /Azure CLI could not be found|az(ure cli)? (is )?not (installed|recognized)/i;

/**
 * Signed in as az is, or as the identity of the machine, without a secret of our own. Where there is no az, or when it is asked for,
 * by a code in a browser: that token is kept for the hour that it is good for, in a file that only its user reads.
 * @throws Refusal that says how to sign in
 */
export async function signIn({
  place,
  deviceCode,
  anew = false,
  person,
  options,
  usual,
}: SignIn): Promise<TokenCredential> {
  const byCode = async (scope: string) =>
    (anew ? undefined : await rememberedToken(scope)) ?? rememberToken(scope, await typed(place, scope, options ?? {}));
  const other = deviceCode ? undefined : (usual ?? (await signedIn()));
  return {
    async getToken(scopes) {
      const scope = String(scopes);
      if (other === undefined) return byCode(scope);
      try {
        return await other.getToken(scope);
      } catch (error) {
        const text = (error as Error).message;
        if (noAz.test(text)) {
          if (person) return byCode(scope);
          const how = 'Sign in with: az login, or --device-code';
          throw new Refusal(`You are not signed in for ${place}: there is no Azure CLI here. ${how}`, exits.notAllowed);
        }
        throw error;
      }
    },
  };
}

async function signedIn(): Promise<TokenCredential> {
  const [{ DefaultAzureCredential }, { bounded }] = await Promise.all([
    import('@azure/identity'),
    import('../shared/clients/credential.ts'),
  ]);
  return bounded(new DefaultAzureCredential(), minute / 2);
}

/** For an Entra that does not answer. A code expires before, when Entra says so: after a quarter of an hour. */
const longestTyping = 20 * minute;

async function typed(place: string, scope: string, options: DeviceCodeCredentialOptions) {
  const [{ DeviceCodeCredential }, { bounded }] = await Promise.all([
    import('@azure/identity'),
    import('../shared/clients/credential.ts'),
  ]);
  const codes = new DeviceCodeCredential({
    // The app takes tokens from this program; one of our own would need a registration in each tenant.
    clientId: azureCli,
    tenantId: process.env.AZURE_TENANT_ID || 'organizations',
    userPromptCallback: ({ message }) => console.error(message),
    ...options,
  });
  const token = await bounded(codes, longestTyping)
    .getToken(scope)
    .catch((error: Error) => {
      const why = error.message.split('\n')[0];
      throw new Refusal(
        `You are not signed in for ${place}: ${why}. Try again, and type the code within its time`,
        exits.notAllowed,
      );
    });
  if (!token) throw new Refusal(`You are not signed in for ${place}: Entra gave no token. Try again`, exits.notAllowed);
  return token;
}
