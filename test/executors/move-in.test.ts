import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { moveIn } from '../../shared/executors/docker/attempt-folder.ts';
import { hour } from '../../shared/instant.ts';
import type { AttemptSpec } from '../../shared/run/attempt.ts';
import { openEmbedded } from '../../shared/store/embedded/store.ts';
import { freshFolder } from '../support/storage/account.ts';

const until = Date.now() + hour;
const id = { job: 'score', run: '20261120T070000Z', attempt: 1 };
const before = { ...id, job: 'pull' };

test('a container gets copies of its bundle and inputs, and nothing that a link in their place leads to', async () => {
  const folder = freshFolder();
  const store = openEmbedded(folder);
  await store.bundles.put('abc', Buffer.from('a zip'));
  const secret = join(freshFolder(), 'secret');
  await writeFile(secret, 'of the host');
  const addresses = await Promise.all(
    ['good.csv', 'link.csv', 'deep/x.csv', 'gone.csv'].map((path) => store.attempts.outputUrl(before, path, until)),
  );
  const [good = '', link = '', deep = ''] = addresses.map((url) => fileURLToPath(url));
  await mkdir(dirname(good), { recursive: true });
  await writeFile(good, 'a,b');
  await symlink(secret, link);
  await symlink(dirname(secret), dirname(deep));
  await writeFile(join(dirname(secret), 'x.csv'), 'of the host');
  const spec = {
    ...id,
    bundle: { digest: 'abc', url: await store.bundles.url('abc', until), locked: false },
    inputs: addresses.map((url, at) => ({ path: `${at}.csv`, url, sha256: '' })),
    ...(await store.attempts.urls(id, ['out.csv'], until)),
  } as unknown as AttemptSpec;

  const { spec: moved, mount } = await moveIn(spec);
  const there = (name: string) =>
    readFile(join(folder, 'attempts/score/20261120T070000Z/1/in', name), 'utf8').catch(() => undefined);
  expect(await Promise.all(['bundle.zip', '0', '1', '2', '3'].map(there))).toEqual([
    'a zip',
    'a,b',
    undefined,
    undefined,
    undefined,
  ]);
  expect((await stat(join(folder, 'attempts/score/20261120T070000Z/1'))).mode & 0o777).toBe(0o700);
  expect(mount).toBe(join(folder, 'attempts/score/20261120T070000Z/1'));
  const all = [
    moved.bundle.url,
    ...moved.inputs.map(({ url }) => url),
    ...Object.values(moved.blobs),
    ...moved.outputs.map(({ url }) => url),
  ];
  for (const url of all) expect(url).toMatch(/^file:\/\/\/run\/lamplighter\//);
  store.close();
});
