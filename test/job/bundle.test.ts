import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pack } from '../../shared/job/bundle.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bundle-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function folder(name: string, files: Record<string, string>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name, path)), { recursive: true });
    await writeFile(join(root, name, path), text);
  }
  return join(root, name);
}
const digest = async (name: string, files: Record<string, string>) => (await pack(await folder(name, files))).digest;

test('the same files give the same digest, whatever their age, order and place', async () => {
  const one = await digest('one', { 'b.py': 'b', 'a/c.py': 'c', 'a.py': 'a' });
  const two = await folder('two', { 'a.py': 'a', 'a/c.py': 'c', 'b.py': 'b' });
  await utimes(join(two, 'a.py'), 1, 1);
  await chmod(join(two, 'b.py'), 0o664);
  expect((await pack(two)).digest).toBe(one);
  const module = join(import.meta.dirname, '../../shared/job/bundle.ts');
  const code = `import { pack } from ${JSON.stringify(module)}; console.log((await pack(process.argv[1])).digest)`;
  for (const TZ of ['Pacific/Auckland', 'America/Los_Angeles']) {
    const args = ['--input-type=module', '--eval', code, two];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, TZ } });
    expect(stdout.trim()).toBe(one);
  }
});

test('any change of a file, its name or its being executable gives another digest', async () => {
  const base = await digest('base', { 'a.py': 'a' });
  const others = [
    await digest('text', { 'a.py': 'b' }),
    await digest('name', { 'b.py': 'a' }),
    await digest('more', { 'a.py': 'a', 'b.py': '' }),
  ];
  const executable = await folder('mode', { 'a.py': 'a' });
  await chmod(join(executable, 'a.py'), 0o755);
  others.push((await pack(executable)).digest);
  expect(new Set([base, ...others]).size).toBe(5);
});

test('what tools leave behind is no part of a job, and a link that leads outside is refused', async () => {
  const clean = await digest('clean', { 'a.py': 'a' });
  const messy = await folder('messy', {
    'a.py': 'a',
    '__pycache__/a.cpython-312.pyc': 'x',
    'sub/b.pyc': 'x',
    '.venv/bin/python': 'x',
    '.env': 'KEY=secret',
    '.git/config': 'x',
  });
  expect((await pack(messy)).digest).toBe(clean);
  await symlink('/etc/passwd', join(messy, 'passwd'));
  await expect(pack(messy)).rejects.toThrow('passwd cannot be packed (outside)');
});

test('the lock file has a digest of its own, and only the one at the top', async () => {
  expect((await pack(await folder('none', { 'sub/uv.lock': 'x' }))).lock).toBeNull();
  expect((await pack(await folder('lock', { 'uv.lock': '' }))).lock).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
});

test('a folder that is not there is an error, not an empty bundle', async () => {
  await expect(pack(join(root, 'nowhere'))).rejects.toThrow('ENOENT');
});
