import { AggregateAuthenticationError, CredentialUnavailableError, DefaultAzureCredential } from '@azure/identity';
import { afterEach, expect, test, vi } from 'vitest';
import { refusal } from '../../shared/executors/container-apps/error.ts';
import { secretError } from '../../shared/secrets/keyvault/error.ts';

const place = { name: 'lamp-score', group: 'rg-1', endpoint: 'https://management.azure.com' };
const vault = 'https://kv-1.vault.azure.net';

afterEach(() => vi.unstubAllEnvs());

/** What the real package says on a machine on which no one is signed in. */
async function withoutSignIn(): Promise<unknown> {
  vi.stubEnv('AZURE_TOKEN_CREDENTIALS', 'AzureCliCredential');
  vi.stubEnv('PATH', '/nowhere');
  return new DefaultAzureCredential().getToken('https://management.azure.com/.default').catch((error) => error);
}

test('without a sign-in on a developer’s machine both the start and the vault name az login', async () => {
  const error = await withoutSignIn();
  expect(error).toBeInstanceOf(Error);
  expect(refusal(error, place)?.message).toContain('sign in on this machine: az login');
  expect(secretError(error, vault).message).toContain('sign in on this machine: az login');
});

test('of a whole chain of sign-ins az login is the one named', () => {
  const error = new AggregateAuthenticationError([new Error('one'), new Error('other')], 'failed.');
  expect(refusal(error, place)?.message).toContain('az login');
});

test('in Azure the one managed identity is named instead, also when its error has no status', () => {
  const error = new CredentialUnavailableError('ManagedIdentityCredential: No User Assigned Managed Identity found');
  expect(refusal(error, place)?.message).toContain('check AZURE_CLIENT_ID, and that this app has that identity');
  expect(secretError(error, vault).message).not.toContain('az login');
});
