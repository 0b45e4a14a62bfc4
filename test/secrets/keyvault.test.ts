import { SecretClient } from '@azure/keyvault-secrets';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { day, minute, second } from '../../shared/instant.ts';
import { keyVault } from '../../shared/secrets/keyvault/keyvault.ts';
import { SecretError, type Vault } from '../../shared/secrets/vault.ts';
import { seven } from '../support/pipeline/cast.ts';
import { TestCredential } from '../support/storage/credential.ts';
import { forbidden, TestKeyVault, throttled } from '../support/vault/keyvault.ts';

let remote: TestKeyVault;
let vault: Vault;
let now = seven;
const credential = new TestCredential();
const unix = (at: number) => Math.floor(at / 1_000);
// The resource of the challenge is that of real vaults, and the address is not.
const client = { disableChallengeResourceVerification: true };

beforeAll(async () => {
  remote = await TestKeyVault.start();
});
afterAll(() => remote.stop());
beforeEach(() => {
  Object.assign(remote, { refusals: [], stuck: false, silent: false, pageSize: 25 });
  remote.secrets.clear();
  credential.trouble = undefined;
  now = seven;
  vault = keyVault({ url: remote.url, credential, now: () => now, client });
  remote.secrets.set('crm-api-key', [{ created: unix(seven - day) }]);
  remote.asked.length = 0;
});

async function refused(name = 'crm-api-key', from = vault): Promise<SecretError> {
  const error = await from.version(name).then(
    () => new Error('it was not refused'),
    (one) => one,
  );
  expect(error).toBeInstanceOf(SecretError);
  return error as SecretError;
}

test('the version is reported with its dates, by a token for the vault and one request', async () => {
  remote.secrets.set('crm-api-key', [{ created: 1, exp: unix(seven + day), nbf: unix(seven - day) }]);
  const version = remote.version('crm-api-key', 0);
  const reported = { version, validFrom: seven - day, expiresOn: seven + day };
  expect(await vault.version('crm-api-key')).toEqual(reported);
  expect(remote.asked).toEqual(['GET /secrets/crm-api-key/versions']);
  expect(credential.scopes.at(-1)).toBe('https://vault.azure.net/.default');
});

test('the newest version counts, on whichever page it stands', async () => {
  remote.pageSize = 3;
  const created = Array.from({ length: 20 }, (_, index) => ({ created: unix(seven) + ((index * 7) % 20) }));
  remote.secrets.set('crm-api-key', created);
  const newest = created.findIndex((one) => one.created === unix(seven) + 19);
  expect((await vault.version('crm-api-key')).version).toBe(remote.version('crm-api-key', newest));
  expect(remote.asked).toHaveLength(7);
});

test('an expired secret, and one not valid yet, are handed out all the same', async () => {
  remote.secrets.set('old', [{ created: 1, exp: 2 }]);
  remote.secrets.set('early', [{ created: 1, nbf: unix(seven + day) }]);
  expect(await vault.version('old')).toMatchObject({ expiresOn: 2 * second });
  expect(await vault.version('early')).toMatchObject({ validFrom: seven + day });
});

test('a missing secret, or a deleted one, is missing: Key Vault itself lists no versions and no error', async () => {
  const error = await refused('nowhere');
  expect(error).toMatchObject({ trouble: 'missing', passing: false });
  expect(error.message).toContain(`is missing from ${remote.url}`);
  expect(error.message).toContain('recover --vault-name 127 --name nowhere');
  remote.refusals = [{ status: 404, code: 'SecretNotFound', message: 'A secret with (name/id) nowhere was not found' }];
  expect((await refused('nowhere')).trouble).toBe('missing');
});

test('a 404 that is not of the secret is no missing secret: a proxy in between, a wrong address', async () => {
  for (const code of ['', 'ResourceNotFound']) {
    remote.refusals = [{ status: 404, code, message: 'nothing here' }];
    const error = await refused();
    expect(error).toMatchObject({ trouble: 'unreachable', passing: true });
    expect(error.message).toContain('answers 404');
  }
});

test('a secret whose newest version is disabled is disabled, whatever older ones there are', async () => {
  const [older, newer] = [unix(seven - day), unix(seven)];
  remote.secrets.set('crm-api-key', [{ created: older }, { created: newer, enabled: false }]);
  const error = await refused();
  expect(error).toMatchObject({ trouble: 'disabled', passing: false });
  expect(error.message).toContain(remote.version('crm-api-key', 1));
  remote.secrets.set('crm-api-key', [{ created: older, enabled: false }, { created: newer }]);
  expect((await vault.version('crm-api-key')).version).toBe(remote.version('crm-api-key', 1));
});

test('a vault that does not let us look says which role is missing, or that it is the firewall', async () => {
  remote.refusals = [forbidden];
  const error = await refused();
  expect(error).toMatchObject({ trouble: 'forbidden', passing: false });
  expect(error.message).toContain('ForbiddenByRbac: Caller is not authorized');
  expect(error.message).toContain('the role Key Vault Reader on https://127');
  const firewall = { status: 403, code: 'Forbidden', message: 'Client address is not authorized' };
  remote.refusals = [{ ...firewall, inner: 'ForbiddenByFirewall' }];
  expect((await refused()).message).toContain('let this app through the firewall');
});

test('a throttled vault is asked again while it wants to be asked soon, and reported as throttled when it does not', async () => {
  remote.refusals = [{ ...throttled, retryAfter: '0' }];
  expect((await vault.version('crm-api-key')).version).toHaveLength(32);
  expect(remote.asked).toHaveLength(2);

  remote.secrets.set('other', [{ created: 1 }]);
  remote.asked.length = 0;
  Object.assign(remote, { refusals: [{ ...throttled, retryAfter: '0' }], stuck: true });
  expect(await refused('other')).toMatchObject({ trouble: 'throttled', passing: true });
  expect(remote.asked).toHaveLength(3);

  for (const retryAfter of ['60', 'Fri, 20 Nov 2099 07:00:00 GMT', undefined]) {
    remote.asked.length = 0;
    remote.refusals = [{ ...throttled, ...(retryAfter === undefined ? {} : { retryAfter }) }];
    const error = await refused('other');
    expect(error).toMatchObject({ trouble: 'throttled', passing: true });
    expect(error.message).toContain('too many requests were received');
    expect(remote.asked).toHaveLength(1);
  }
});

test('an outage is unreachable and never missing: no host, no token, 5xx', async () => {
  const noCaller = keyVault({
    url: 'https://127.0.0.1:9',
    credential,
    client: { ...client, retryOptions: { maxRetries: 0 } },
  });
  expect(await refused('crm-api-key', noCaller)).toMatchObject({ trouble: 'unreachable', passing: true });
  Object.assign(remote, { refusals: [{ status: 503, code: 'ServiceUnavailable', message: 'busy' }], stuck: true });
  const error = await refused();
  expect(error).toMatchObject({ trouble: 'unreachable', passing: true });
  expect(error.message).toContain('answers 503');
  remote.stuck = false;

  const lost = new TestCredential();
  lost.trouble = Object.assign(new Error('the endpoint 169.254.169.254 did not answer'), {
    name: 'CredentialUnavailableError',
  });
  const alone = await refused('crm-api-key', keyVault({ url: remote.url, credential: lost, client }));
  expect(alone).toMatchObject({ trouble: 'unreachable', passing: true });
  expect(alone.message).toContain(`no token could be had for ${remote.url}`);
});

test('a vault that never answers is given up', async () => {
  remote.silent = true;
  const error = await refused('crm-api-key', keyVault({ url: remote.url, credential, client, patience: 300 }));
  expect(error).toMatchObject({ trouble: 'unreachable', passing: true });
  expect(error.message).toContain('did not answer in time');
});

test('a value is never asked for, and could not be had with the role', async () => {
  const error = await vault.read('crm-api-key').catch((one) => one);
  expect(error).toMatchObject({ trouble: 'forbidden' });
  expect(remote.asked).toEqual([]);
  const direct = new SecretClient(remote.url, credential, client);
  await expect(direct.getSecret('crm-api-key')).rejects.toMatchObject({ statusCode: 403 });
});

test('fifty starts at once, and all within a minute, ask once; letters’ case makes no difference', async () => {
  const versions = await Promise.all(Array.from({ length: 50 }, () => vault.version('crm-api-key')));
  expect(new Set(versions.map(({ version }) => version)).size).toBe(1);
  now += minute - 1;
  await vault.version('CRM-API-KEY');
  expect(remote.asked).toHaveLength(1);
  now += 1;
  remote.secrets.set('crm-api-key', [{ created: 1 }, { created: 2 }]);
  expect((await vault.version('crm-api-key')).version).toBe(remote.version('crm-api-key', 1));
  expect(remote.asked).toHaveLength(2);
});

test('an error is reported to those who wait for the same answer, and asked anew by the next', async () => {
  remote.refusals = [forbidden];
  const ends = await Promise.allSettled(Array.from({ length: 10 }, () => vault.version('crm-api-key')));
  expect(ends.every(({ status }) => status === 'rejected')).toBe(true);
  expect(remote.asked).toHaveLength(1);
  expect((await vault.version('crm-api-key')).version).toHaveLength(32);
});

test('the stand-in refuses what the published interface does not have', async () => {
  const odd = { ...client, serviceVersion: '2024-01-01' as '7.6', retryOptions: { maxRetries: 0 } };
  const error = await refused('crm-api-key', keyVault({ url: remote.url, credential, client: odd }));
  expect(error.message).toContain('answers 400 BadParameter');
  const direct = new SecretClient(remote.url, credential, { ...client, retryOptions: { maxRetries: 0 } });
  const pages = direct.listPropertiesOfSecretVersions('crm-api-key').byPage({ maxPageSize: 26 });
  await expect(pages.next()).rejects.toMatchObject({ statusCode: 400 });
  const stranger = new SecretClient(
    remote.url,
    { getToken: async () => ({ token: 'x.y.z', expiresOnTimestamp: 0 }) },
    client,
  );
  await expect(stranger.listPropertiesOfSecretVersions('crm-api-key').next()).rejects.toMatchObject({
    statusCode: 401,
  });
});
