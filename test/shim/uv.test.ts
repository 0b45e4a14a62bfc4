import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Files, python, World, zip } from '../support/shim/shim.ts';

const uv = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'uv'))
  .find(existsSync);
if (!uv && process.env.CI)
  throw new Error('uv is not on the PATH: jobs with a uv.lock cannot be tested. pip install uv');
if (!uv)
  console.warn('uv is not on the PATH: not tested is how a job with a uv.lock gets its packages. pip install uv');
/** Without uv nothing of the preparation of locked environments is tested, apart from its absence. */
const locked = test.skipIf(!uv);

let world: World;
let folder: string;
let files: Files;
beforeAll(async () => {
  world = await World.create();
  folder = await mkdtemp(join(tmpdir(), 'lamp-uv-'));
  if (uv) files = await project(join(folder, 'project'), join(folder, 'wheels'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A job that needs the package `greeting`, locked against a flat index of one wheel. */
async function project(at: string, wheels: string): Promise<Files> {
  await mkdir(at, { recursive: true });
  await mkdir(wheels);
  const contents = {
    'greeting.py': 'words = "hello from a wheel"\n',
    'greeting-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n',
    'greeting-1.0.dist-info/WHEEL': 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  };
  const record = Object.entries(contents).map(([path, text]) => {
    const digest = createHash('sha256').update(text).digest('base64url');
    return `${path},sha256=${digest},${text.length}\n`;
  });
  const wheel = await zip({
    ...contents,
    'greeting-1.0.dist-info/RECORD': `${record.join('')}greeting-1.0.dist-info/RECORD,,\n`,
  });
  await writeFile(join(wheels, 'greeting-1.0-py3-none-any.whl'), wheel);
  await writeFile(
    join(at, 'pyproject.toml'),
    `[project]\nname = "job"\nversion = "0"\nrequires-python = ">=3.10"\ndependencies = ["greeting"]\n
[tool.uv]\noffline = true\nno-index = true\nfind-links = ["${wheels}"]\n`,
  );
  execFileSync(uv as string, ['lock', '--python', python], { cwd: at, stdio: 'pipe' });
  return {
    'main.py':
      'import greeting, os, shutil, sys\nprint(greeting.words, sys.prefix == os.environ["VIRTUAL_ENV"], shutil.which("python") == sys.executable)',
    'pyproject.toml': readFileSync(join(at, 'pyproject.toml')),
    'uv.lock': readFileSync(join(at, 'uv.lock')),
  };
}

async function lockedSpec(over: Files, cache: string | null) {
  const spec = await world.spec({ ...files, ...over }, { cache });
  spec.bundle.locked = true;
  return spec;
}

locked('a job with a uv.lock runs with its packages, made once for several attempts at the same time', async () => {
  const cache = join(folder, 'cache');
  const specs = [await lockedSpec({}, cache), await lockedSpec({}, cache), await lockedSpec({}, cache)];
  const runs = await Promise.all(specs.map((spec) => world.run(spec)));
  for (const { log, result } of runs) {
    expect(log.job.toString()).toBe('hello from a wheel True True\n');
    expect(result).toMatchObject({ outcome: 'succeeded', python: expect.stringMatching(/^3\.\d+\.\d+/) });
  }
  const installed = runs.flatMap(({ log }) => log.ours);
  expect(installed).toEqual([expect.stringMatching(/^packages of uv\.lock installed in/)]);
  expect((await readdir(join(cache, 'envs'))).filter((name) => !name.endsWith('.lock'))).toHaveLength(1);
});

locked('an environment that was left half made is made anew', async () => {
  const cache = join(folder, 'torn');
  expect((await world.run(await lockedSpec({}, cache))).result.outcome).toBe('succeeded');
  const [name] = (await readdir(join(cache, 'envs'))).filter((name) => !name.endsWith('.lock'));
  const venv = join(cache, 'envs', name as string);
  await rm(join(venv, '.lamplighter-complete'));
  await rm(join(venv, 'bin'), { recursive: true });
  const { log } = await world.run(await lockedSpec({}, cache));
  expect(log.job.toString()).toBe('hello from a wheel True True\n');
});

locked('without a cache the environment is made for this attempt alone', async () => {
  const { log } = await world.run(await lockedSpec({}, null));
  expect(log.job.toString()).toBe('hello from a wheel True True\n');
});

locked(
  'a lock that does not fit the project fails as configuration and says what to do, with what uv said',
  async () => {
    const stale = String(files['pyproject.toml']).replace('"greeting"', '"greeting", "colorama"');
    const { result, log } = await world.run(await lockedSpec({ 'pyproject.toml': stale }, join(folder, 'stale')));
    expect(result.error?.class).toBe('configuration');
    expect(log.ours[0]).toBe('uv could not install the packages of uv.lock:');
    expect(result.jobStartedAt).toBeNull();
  },
);

test('a job that needs uv where there is none fails as configuration and says what to do', async () => {
  const spec = await world.spec({ 'main.py': '', 'uv.lock': '', 'pyproject.toml': '' });
  spec.bundle.locked = true;
  const other = await world.spec('print(1)', { python: '3.99' });
  for (const one of [spec, other]) {
    const { result } = await world.run(one, { PATH: '/nowhere' });
    expect(result.error).toMatchObject({
      class: 'configuration',
      message: expect.stringMatching(/uv is not installed here: install/),
    });
  }
});

test('a job that asks for the Python that is here anyway needs no uv', async () => {
  const own = execFileSync(python, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']).toString().trim();
  const { result } = await world.run(await world.spec('print(1)', { python: own }));
  expect(result.outcome).toBe('succeeded');
  expect(result.python.startsWith(`${own}.`)).toBe(true);
});
