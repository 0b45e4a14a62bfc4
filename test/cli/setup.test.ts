import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const lock = (version: string) => ({
  packages: {
    '': { version: '0.1.0' },
    cli: { version: '0.1.0' },
    'node_modules/zod': { version },
    'node_modules/typescript': { version: '7.0.0', dev: true },
    'node_modules/node': { version: '24.0.0', dev: true },
    'node_modules/other-system': { version: '1.0.0', optional: true },
  },
});

const tools = { 'node_modules/typescript': { version: '7.0.0' }, 'node_modules/node': { version: '24.0.0' } };

/** A checkout that is installed and built; `npm` only says that it was called. */
async function checkout(installed: { packages: object } | undefined): Promise<(...args: string[]) => Promise<string>> {
  const root = await mkdtemp(join(tmpdir(), 'lamp-setup-'));
  for (const folder of ['cli', 'shared', 'dist', 'bin', 'node_modules']) await mkdir(join(root, folder));
  await copyFile(join(import.meta.dirname, '../../cli/setup.mjs'), join(root, 'cli/setup.mjs'));
  if (installed && 'node_modules/typescript' in installed.packages) await mkdir(join(root, 'node_modules/typescript'));
  await mkdir(join(root, 'node_modules/node/node_modules/node-here/include'), { recursive: true });
  await writeFile(join(root, 'node_modules/node/node_modules/.package-lock.json'), '{}');
  await writeFile(join(root, 'bin/npm'), '#!/bin/sh\necho "npm $*"\n');
  await chmod(join(root, 'bin/npm'), 0o755);
  if (installed) await writeFile(join(root, 'node_modules/.package-lock.json'), JSON.stringify(installed));
  await writeFile(join(root, 'package-lock.json'), JSON.stringify(lock('4.0.0')));
  const old = new Date(Date.now() - 60_000);
  if (installed) await utimes(join(root, 'node_modules/.package-lock.json'), old, old);
  await writeFile(join(root, 'dist/lamp.js'), '');
  const env = { ...process.env, PATH: `${join(root, 'bin')}${delimiter}${process.env.PATH}` };
  const program = join(root, 'cli/setup.mjs');
  return async (...args) => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { env });
    return stdout + (await readdir(join(root, 'node_modules/node/node_modules/node-here'))).join();
  };
}

test.skipIf(process.platform === 'win32')(
  'a checkout that only touched the lock file installs nothing: what runs keeps its packages',
  async () => {
    const run = await checkout({ packages: { cli: {}, ...tools, 'node_modules/zod': { version: '4.0.0' } } });
    expect(await run()).toBe('include');
    expect(await run('--to-run')).toBe('include');
  },
);

test.skipIf(process.platform === 'win32').each([
  ['another version', { packages: { ...tools, 'node_modules/zod': { version: '3.0.0' } } }],
  ['one that is missing', { packages: tools }],
])('all packages are installed where there is %s, also by a start', async (_, installed) => {
  const run = await checkout(installed);
  for (const args of [[], ['--to-run']]) expect(await run(...args)).toMatch(/^Installing .*\nnpm ci --no-fund/);
});

test.skipIf(process.platform === 'win32')('a first start installs what it takes to run, and no headers', async () => {
  const run = await checkout(undefined);
  expect(await run('--to-run')).toMatch(
    /^Installing .*\nnpm ci --workspace=cli --include-workspace-root .*\n.*done.*\n$/,
  );
});

test.skipIf(process.platform === 'win32')(
  'after a start that installed what it takes to run, the next adds nothing and a test the rest',
  async () => {
    const { 'node_modules/node': node } = tools;
    const run = await checkout({ packages: { 'node_modules/node': node, 'node_modules/zod': { version: '4.0.0' } } });
    expect(await run('--to-run')).toBe('include');
    expect(await run()).toMatch(/^Installing .*\nnpm ci --no-fund/);
  },
);
