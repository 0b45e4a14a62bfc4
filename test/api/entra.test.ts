import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entraGuard } from '../../shared/api/entra.ts';
import { ApiProblem } from '../../shared/api/problem.ts';

const tenant = '9188040d-6c67-4c5b-b112-36a304b66dad';
const client = 'c44b4083-3bb0-49c1-b47d-974e53cbdf3c';
const now = () => Math.floor(Date.now() / 1_000);

const ours = await generateKeyPair('RS256');
const theirs = await generateKeyPair('RS256');
const jwk = { ...(await exportJWK(ours.publicKey)), kid: 'key-1', alg: 'RS256', use: 'sig' };
let away = false;
const server = createServer((request, response) => {
  if (away || request.url !== `/${tenant}/discovery/v2.0/keys`) return void response.writeHead(503).end();
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }));
});
let authority = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

/** A token as Entra ID gives it to a person, with some claims changed; undefined removes one. */
function token(change: Record<string, unknown> = {}, key = ours.privateKey, header = { alg: 'RS256', kid: 'key-1' }) {
  const claims = {
    iss: `${authority}/${tenant}/v2.0`,
    aud: client,
    iat: now() - 10,
    nbf: now() - 10,
    exp: now() + 3_600,
    preferred_username: 'dana@contoso.com',
    roles: ['operator'],
    ...change,
  };
  return new SignJWT(Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined)))
    .setProtectedHeader(header)
    .sign(key);
}

const guard = () => entraGuard({ tenant, client, authority });
const ask = (authorization: string | undefined, more: Record<string, string> = {}) =>
  guard()(new Request('https://app/api/v1/jobs', { headers: { ...(authorization && { authorization }), ...more } }));
const bearer = async (...given: Parameters<typeof token>) => ask(`Bearer ${await token(...given)}`);

test('a caller is who the token names, with the roles that it has', async () => {
  expect(await bearer()).toEqual({ name: 'dana@contoso.com', roles: ['operator'], departments: null });
  expect(await bearer({ roles: undefined })).toEqual({ name: 'dana@contoso.com', roles: [], departments: [] });
  expect((await bearer({ preferred_username: undefined, azp: 'app-7' })).name).toBe('app-7');
  expect((await bearer({ aud: `api://${client}`, iss: `https://sts.windows.net/${tenant}/` })).roles).toEqual([
    'operator',
  ]);
});

test('a role for a department holds there alone, and never more than it says', async () => {
  expect(await bearer({ roles: ['operator:Sales'] })).toMatchObject({
    roles: ['viewer', 'operator'],
    departments: ['Sales'],
  });
  expect(await bearer({ roles: ['operator:Sales', 'viewer:Finance'] })).toMatchObject({
    roles: ['viewer'],
    departments: ['Sales', 'Finance'],
  });
  expect(await bearer({ roles: ['operator:Sales', 'viewer'] })).toMatchObject({ roles: ['viewer'], departments: null });
  expect(await bearer({ roles: ['owner', 'Operator', 7] })).toMatchObject({ roles: [], departments: [] });
});

describe('a token is refused when it', () => {
  const refused: [string, () => Promise<string>][] = [
    ['has expired', () => token({ exp: now() - 120 })],
    ['is not good yet', () => token({ nbf: now() + 600 })],
    ['has no end', () => token({ exp: undefined })],
    ['is for another app', () => token({ aud: '00000003-0000-0000-c000-000000000000' })],
    ['is of another directory', () => token({ iss: `${authority}/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0` })],
    ['is signed by another key', () => token({}, theirs.privateKey)],
    ['names a key that is not there', () => token({}, theirs.privateKey, { alg: 'RS256', kid: 'key-2' })],
    ['is not signed', async () => `${(await token()).split('.').slice(0, 2).join('.')}.`],
    [
      'says that it needs no signature',
      async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await token()).split('.')[1]}.`,
    ],
    ['names no one', () => token({ preferred_username: undefined })],
    ['is no token', async () => 'opensesame'],
  ];
  test.each(refused)('%s', async (_, make) => {
    const error = await ask(`Bearer ${await make()}`).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ApiProblem);
    expect(error.problemCode).toBe('not-signed-in');
  });

  test('is not there, whatever headers a platform would have set', async () => {
    const principal = Buffer.from(JSON.stringify({ claims: [{ typ: 'roles', val: 'admin' }] })).toString('base64');
    const forged = { 'x-ms-client-principal': principal, 'x-ms-client-principal-name': 'admin@contoso.com' };
    await expect(ask(undefined, forged)).rejects.toThrow(/expected "Authorization: Bearer/);
  });
});

test('a token that another program got for its user is refused when the programs are listed', async () => {
  const listed = entraGuard({ tenant, client, authority, callers: ['az-cli', 'pipeline'] });
  const send = async (claims: Record<string, unknown>) =>
    listed(new Request('https://app/api/v1/jobs', { headers: { authorization: `Bearer ${await token(claims)}` } }));
  for (const claims of [{ azp: 'az-cli' }, { appid: 'pipeline', azp: undefined }])
    expect((await send(claims)).roles).toEqual(['operator']);
  for (const claims of [{ azp: 'some-other-app' }, {}, { azp: 'other', appid: 'az-cli' }, { azp: ['az-cli'] }])
    await expect(send(claims)).rejects.toMatchObject({ problemCode: 'not-signed-in' });
});

test('keys that cannot be fetched are an outage, not a bad token', async () => {
  away = true;
  const error = await bearer().catch((thrown) => thrown);
  away = false;
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(ApiProblem);
});
