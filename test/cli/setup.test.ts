import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const lock = (version: string) => ({
  packages: {
    '': { version: '0.1.0' },
    cli: { version: '0.1.0' },
    'node_modules/zod': { version },
    'node_modules/other-system': { version: '1.0.0', optional: true },
  },
});

/** A checkout that is installed and built; `npm` only says that it was called. */
async function checkout(installed: object | undefined): Promise<() => Promise<string>> {
  const root = await mkdtemp(join(tmpdir(), 'lamp-setup-'));
  for (const folder of ['cli', 'shared', 'dist', 'bin', 'node_modules']) await mkdir(join(root, folder));
  await copyFile(join(import.meta.dirname, '../../cli/setup.mjs'), join(root, 'cli/setup.mjs'));
  await writeFile(join(root, 'bin/npm'), '#!/bin/sh\necho "npm $*"\n');
  await chmod(join(root, 'bin/npm'), 0o755);
  if (installed) await writeFile(join(root, 'node_modules/.package-lock.json'), JSON.stringify(installed));
  await writeFile(join(root, 'package-lock.json'), JSON.stringify(lock('4.0.0')));
  const old = new Date(Date.now() - 60_000);
  if (installed) await utimes(join(root, 'node_modules/.package-lock.json'), old, old);
  await writeFile(join(root, 'dist/lamp.js'), '');
  const env = { ...process.env, PATH: `${join(root, 'bin')}${delimiter}${process.env.PATH}` };
  return async () => (await promisify(execFile)(process.execPath, [join(root, 'cli/setup.mjs')], { env })).stdout;
}

test.skipIf(process.platform === 'win32')(
  'a checkout that only touched the lock file installs nothing: what runs keeps its packages',
  async () => {
    const run = await checkout({ packages: { cli: {}, 'node_modules/zod': { version: '4.0.0' } } });
    expect(await run()).toBe('');
    expect(await run()).toBe('');
  },
);

test.skipIf(process.platform === 'win32').each([
  ['another version', { packages: { 'node_modules/zod': { version: '3.0.0' } } }],
  ['one that is missing', { packages: {} }],
  ['nothing', undefined],
])('packages are installed where there is %s', async (_, installed) => {
  expect(await (await checkout(installed))()).toContain('npm ci ');
});
