import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceCodeCredentialOptions, TokenCredential } from '@azure/identity';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { connect } from '../../cli/connect.ts';
import { findHome } from '../../cli/home.ts';
import { signIn } from '../../cli/sign-in.ts';
import { minute, second } from '../../shared/instant.ts';
import { type Entra, entra, tenant } from '../support/azure/cloud/entra.ts';
import { hosts } from '../support/azure/cloud/hosts.ts';

const client = 'c44b4083-3bb0-49c1-b47d-974e53cbdf3c';
const scope = `${client}/.default`;
let folder: string;
let directory: Entra;
let prompts: string[];
let asked: string[];
/** What passes before Entra is asked again whether the code was typed. */
let typing: () => Promise<unknown>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamp-sign-in-'));
  vi.stubEnv('XDG_CONFIG_HOME', join(folder, 'home'));
  // As a repository may have it: no place for a token.
  vi.stubEnv('LAMPLIGHTER_APPS', join(folder, 'config', 'apps.json'));
  directory = entra();
  prompts = [];
  asked = [];
  typing = async () => undefined;
  vi.spyOn(console, 'error').mockImplementation((text) => void prompts.push(String(text)));
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const tokensPath = () => join(folder, 'home', 'lamplighter', 'tokens.json');

/** Entra of the test, as the SDK meets it: its own messages, without a socket. */
const options = (): DeviceCodeCredentialOptions => ({
  authorityHost: `https://${hosts.login}`,
  tenantId: tenant,
  disableInstanceDiscovery: true,
  httpClient: {
    async sendRequest(request) {
      const { pathname: path, searchParams: query, host } = new URL(request.url);
      const form = new URLSearchParams(typeof request.body === 'string' ? request.body : '');
      if (path.endsWith('/token')) await typing();
      asked.push(`${request.method} ${path.replace(`/${tenant}`, '')} ${form.get('client_id') ?? ''}`.trim());
      const reply = directory.login({
        method: request.method,
        host,
        path,
        query,
        json: {},
        form,
        authorization: undefined,
      });
      const { status = reply ? 200 : 404, body = {} } = reply ?? {};
      return { request, status, headers: request.headers, bodyAsText: JSON.stringify(body) };
    },
  },
});
const usual = (message: string): TokenCredential => ({ getToken: () => Promise.reject(new Error(message)) });
const noAz = usual(
  'ChainedTokenCredential authentication failed.\nCredentialUnavailableError: Azure CLI could not be found.',
);
const typed = async (more: Partial<Parameters<typeof signIn>[0]> = {}) =>
  (
    await signIn({ place: 'https://func-1.example', deviceCode: true, person: true, options: options(), ...more })
  ).getToken(scope);

test('with --device-code the code is shown, and typed in a browser it gives a token of the Azure CLI for this app', async () => {
  directory.meets('authorization_pending', 'authorization_pending');
  const token = await typed();
  expect(prompts).toEqual(['To sign in, open https://microsoft.com/devicelogin and enter the code ABCD1234.']);
  const claims = JSON.parse(Buffer.from(token?.token.split('.')[1] ?? '', 'base64url').toString());
  expect(claims.aud).toBe(scope);
  expect(asked.filter((line) => line.includes('/token'))).toHaveLength(3);
  expect(asked.at(-1)).toContain('04b07795-8ddb-461a-bbee-02f9e1bf7b46');
});

test('the next command needs no code: the token is kept for its hour, where only its user reads it', async () => {
  const first = await typed();
  const path = tokensPath();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await typed()).toEqual(first);
  expect(prompts).toHaveLength(1);
  // One that has nearly expired is not taken, and goes from the file.
  const kept = {
    [scope]: { token: 'old', expiresOnTimestamp: Date.now() + 60_000 },
    x: { token: 'x', expiresOnTimestamp: 1 },
  };
  await writeFile(path, JSON.stringify(kept));
  expect((await typed())?.token).not.toBe('old');
  expect(Object.keys(JSON.parse(await readFile(path, 'utf8')))).toEqual([scope]);
  await writeFile(path, '{');
  expect((await typed())?.token).toBeDefined();
  expect(prompts).toHaveLength(3);
});

test('where there is no Azure CLI, a person gets a code by themselves, and a pipeline is shown what to do', async () => {
  expect((await typed({ deviceCode: false, usual: noAz }))?.token).toBeDefined();
  expect(prompts).toHaveLength(1);
  await rm(join(folder, 'home'), { recursive: true });
  await expect(typed({ deviceCode: false, usual: noAz, person: false })).rejects.toMatchObject({
    message: expect.stringContaining('or --device-code'),
    exitCode: 3,
  });
  expect(prompts).toHaveLength(1);
});

test('an az that is not signed in is not gone around: its own message stays', async () => {
  const failure = typed({ deviceCode: false, usual: usual("Please run 'az login' from a command prompt") });
  await expect(failure).rejects.toThrow("Please run 'az login'");
  expect(prompts).toEqual([]);
});

test.each([
  'authorization_declined',
  'expired_token',
])('a code that is not used well (%s) is no sign-in', async (error) => {
  directory.meets(error);
  await expect(typed()).rejects.toMatchObject({
    message: expect.stringContaining('You are not signed in'),
    exitCode: 3,
  });
  await expect(stat(tokensPath())).rejects.toThrow('ENOENT');
});

describe('a command for an app, signed in by a code', () => {
  const url = 'https://func-1.example';
  let answers: number[];

  beforeEach(async () => {
    answers = [];
    await mkdir(join(folder, 'config'));
    await writeFile(
      join(folder, 'config', 'apps.json'),
      JSON.stringify({ using: null, apps: [{ name: 'prod', url, client }] }),
    );
    vi.stubGlobal('fetch', async () => Response.json({}, { status: answers.shift() ?? 200 }));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const command = (deviceCode = true) => connect(findHome(folder), { app: 'prod', deviceCode, options: options() });
  const ask = async (deviceCode = true) => (await command(deviceCode)).get('/jobs', z.object({}));

  test('waits for as long as the code is good, and only then begins to wait for the app', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], shouldAdvanceTime: true });
    directory.meets(...Array(6).fill('authorization_pending'));
    typing = () => vi.advanceTimersByTimeAsync(40 * second);
    const before = Date.now();
    expect(await ask()).toEqual({});
    expect(Date.now() - before).toBeGreaterThan(4 * minute);
    expect(prompts).toHaveLength(1);
  });

  test('with the option asks for a new code, as after a new role; with the variable it takes the token that is kept', async () => {
    await ask();
    await ask();
    expect(prompts).toHaveLength(2);
    vi.stubEnv('LAMPLIGHTER_SIGN_IN', 'device-code');
    await ask(false);
    expect(prompts).toHaveLength(2);
  });

  test.each([
    401, 403,
  ])('forgets a token that the app refused with %d: the next command signs in anew', async (status) => {
    vi.stubEnv('LAMPLIGHTER_SIGN_IN', 'device-code');
    answers = [200, status];
    await ask(false);
    await expect(ask(false)).rejects.toMatchObject({ exitCode: 3 });
    expect(prompts).toHaveLength(1);
    expect(JSON.parse(await readFile(tokensPath(), 'utf8'))).toEqual({});
    await ask(false);
    expect(prompts).toHaveLength(2);
  });

  test('shows one code, however much it asks at once', async () => {
    const { get } = await command();
    await Promise.all(['/jobs', '/incidents', '/health'].map((path) => get(path, z.object({}))));
    expect(prompts).toHaveLength(1);
  });
});
