import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findApp, use } from '../../cli/app.ts';

const prod = { url: 'https://func-lamp.azurewebsites.net', client: 'c44b4083-3bb0-49c1-b47d-974e53cbdf3c' };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamp-use-'));
  process.env.LAMPLIGHTER_APPS = join(folder, 'config', 'apps.json');
});
afterEach(async () => {
  delete process.env.LAMPLIGHTER_APPS;
  await rm(folder, { recursive: true, force: true });
});

test('without a word the host in the folder is meant; a named app is meant from then on, until here', async () => {
  expect(await findApp(undefined)).toBeUndefined();
  await use('prod', prod);
  expect(await findApp(undefined)).toEqual({ name: 'prod', ...prod });
  expect(await findApp('func-lamp.azurewebsites.net/')).toEqual({ name: 'prod', ...prod });
  await use(null);
  expect(await findApp(undefined)).toBeUndefined();
  expect((await use('prod'))?.url).toBe(prod.url);
});

test('only its user reads the file', async () => {
  await use('prod', prod);
  expect((await stat(join(folder, 'config', 'apps.json'))).mode & 0o777).toBe(0o600);
});

test.each([
  ['a name that is not known', () => findApp('prdo'), /There is no app "prdo"\. Did you mean prod\?/],
  ['an address without encryption', () => use('x', { ...prod, url: 'http://x.example' }), /begins with https:/],
  ['a client that is no id', () => use('x', { ...prod, client: 'me' }), /client cannot be used/],
])('%s is refused with what to write', async (_, ask, message) => {
  await use('prod', prod);
  await expect(ask()).rejects.toThrow(message);
});

test('a broken file is named, and what to do about it', async () => {
  await use('prod', prod);
  await writeFile(join(folder, 'config', 'apps.json'), '{');
  await expect(findApp('prod')).rejects.toThrow(/apps\.json cannot be read: remove it/);
});
