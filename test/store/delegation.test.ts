import { BlobServiceClient, RestError } from '@azure/storage-blob';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { day, hour, type Instant, minute } from '../../shared/instant.ts';
import { signWithDelegation } from '../../shared/store/azure/signature.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import { create } from '../support/pipeline/executor.ts';
import { type IdentityAzurite, startIdentityAzurite } from '../support/storage/azurite-identity.ts';
import { identity } from '../support/storage/credential.ts';

let azurite: IdentityAzurite;
let service: BlobServiceClient;
let now: Instant;
/** The keys that were asked for: since when and until when they are good. */
let keys: { from: Instant; until: Instant }[];
/** Set: storage gives no key. */
let trouble: Error | undefined;

beforeAll(async () => {
  azurite = await startIdentityAzurite();
  const { blobs, credential } = azurite.identityOf(azurite.freshAccount());
  const real = new BlobServiceClient(blobs, credential);
  service = Object.assign(Object.create(real) as BlobServiceClient, {
    async getUserDelegationKey(from: Date, until: Date) {
      keys.push({ from: from.getTime(), until: until.getTime() });
      if (trouble) throw trouble;
      return real.getUserDelegationKey(from, until);
    },
  });
  await real.getContainerClient('runs').create();
});
afterAll(() => azurite.stop());
beforeEach(() => {
  now = Date.now();
  keys = [];
  trouble = undefined;
});

const signer = () => {
  const sign = signWithDelegation(service, () => now);
  const container = service.getContainerClient('runs');
  return (blob: string, permissions = 'c', until: Instant = now + hour) => sign(container, blob, permissions, until);
};
const headers = { 'x-ms-blob-type': 'BlockBlob' };

test('an address is the identity’s, of one blob, over https alone, until it ends', async () => {
  const address = new URL(await signer()('a/result.json', 'c', now + 3 * hour));
  expect(Object.fromEntries(address.searchParams)).toMatchObject({ skoid: identity, spr: 'https', sp: 'c', sr: 'b' });
  expect(Date.parse(address.searchParams.get('se') ?? '')).toBe(Math.floor((now + 3 * hour) / 1_000) * 1_000);
  expect(address.searchParams.has('st')).toBe(false);
});

test('the one that may create cannot read, list, overwrite, delete, or reach the next blob', async () => {
  const sign = signer();
  const address = await sign('b/result.json');
  expect(await create(address, 'one')).toBe(true);
  const query = address.slice(address.indexOf('?') + 1);
  const container = service.getContainerClient('runs').url;
  const refused: [string, RequestInit][] = [
    [address, {}],
    [address, { method: 'HEAD' }],
    [address, { method: 'PUT', headers, body: 'two' }],
    [address, { method: 'DELETE' }],
    [`${address}&comp=metadata`, { method: 'PUT', headers: { 'x-ms-meta-a': 'b' } }],
    [`${container}?restype=container&comp=list&${query}`, {}],
    [`${service.url}?comp=list&${query}`, {}],
    [`${container}/b/other.json?${query}`, { method: 'PUT', headers, body: 'two' }],
    [address.replace('sp=c', 'sp=cr'), {}],
  ];
  for (const [url, request] of refused) expect((await fetch(url, request)).status, url).toBe(403);
  expect(await (await fetch(await sign('b/result.json', 'r'))).text()).toBe('one');
});

test('an address that has ended is refused', async () => {
  await expect(create(await signer()('c/result.json', 'c', now - 1_000), '')).rejects.toThrow('403');
});

test('a thousand signatures, by many at once, take one request', async () => {
  const sign = signer();
  const addresses = await Promise.all(Array.from({ length: 1_000 }, (_, index) => sign(`d/${index}`)));
  expect(new Set(addresses).size).toBe(1_000);
  expect(keys).toHaveLength(1);
});

test('a key begins early enough for clocks that differ, and lives less than the seven days that Azure allows', async () => {
  await signer()('e');
  const [key] = keys;
  expect(now - (key?.from ?? 0)).toBe(15 * minute);
  expect((key?.until ?? 0) - (key?.from ?? 0)).toBeLessThanOrEqual(7 * day);
  expect((key?.until ?? 0) - now).toBeGreaterThan(6.9 * day);
});

test('a key is renewed after a day, once for all who ask, so that a day of work always fits', async () => {
  const sign = signer();
  await sign('f');
  now += day - 1;
  await sign('f', 'c', now + 5 * day);
  expect(keys).toHaveLength(1);
  now += 1;
  const addresses = await Promise.all(Array.from({ length: 20 }, () => sign('f', 'c', now + 6 * day)));
  expect(keys).toHaveLength(2);
  const ends = addresses.map((address) => Date.parse(new URL(address).searchParams.get('ske') ?? ''));
  expect(ends.every((end) => end >= now + 6 * day)).toBe(true);
});

test('an address that would outlive its key gets a fresh key, and one that no key can cover is refused unasked', async () => {
  const sign = signer();
  await sign('g');
  now += day / 2;
  await sign('g', 'c', now + 6.9 * day);
  expect(keys).toHaveLength(2);
  await expect(sign('g', 'c', now + 7 * day)).rejects.toThrow(/is too far ahead: .* less than seven days/);
  expect(keys).toHaveLength(2);
});

test('a renewal that fails is no trouble while the old key is good, and is tried again a minute later', async () => {
  const sign = signer();
  await sign('h');
  now += 2 * day;
  trouble = new Error('storage is unavailable');
  await sign('h');
  await sign('h');
  expect(keys).toHaveLength(2);
  now += minute;
  trouble = undefined;
  await sign('h');
  await sign('h');
  expect(keys).toHaveLength(3);
});

test('without any key the outage is reported to all who wait, and the next one asks again', async () => {
  const sign = signer();
  trouble = new Error('storage is unavailable');
  const ends = await Promise.allSettled([sign('i'), sign('i'), sign('i')]);
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(keys).toHaveLength(1);
  trouble = undefined;
  expect(await create(await sign('i'), '')).toBe(true);
});

test('a missing role is named', async () => {
  trouble = new RestError('This request is not authorized', {
    code: 'AuthorizationPermissionMismatch',
    statusCode: 403,
  });
  await expect(signer()('j')).rejects.toThrow(/needs the role Storage Blob Data Contributor on the whole account/);
});

test('a store opened by identity asks for one key, whatever it signs', async () => {
  const account = azurite.identityOf(azurite.freshAccount());
  const store = openStore(account);
  await store.prepare();
  const id = { job: 'score', run: '20261120T070000Z', attempt: 1 };
  const until = Date.now() + hour;
  const [{ blobs }, bundle] = await Promise.all([store.attempts.urls(id, ['a'], until), store.bundles.url('x', until)]);
  const signed = [blobs.started, blobs.log, bundle].map((address) => new URL(address).searchParams);
  expect(new Set(signed.map((query) => `${query.get('skoid')} ${query.get('ske')}`)).size).toBe(1);
  expect(signed[0]?.get('skoid')).toBe(identity);
  expect(new Set(azurite.credential.scopes)).toEqual(new Set(['https://storage.azure.com/.default']));
});
