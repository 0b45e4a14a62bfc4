import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { imageTag } from '../../cli/deploy/image.ts';
import { defaultBase } from '../../cli/deploy/options.ts';
import {
  again,
  bothJobs,
  build,
  create,
  deployed,
  deployWorld,
  file,
  image,
  me,
  missing,
  newDigest,
  oldDigest,
  packed,
  pipeline,
  run,
  tag,
  tools,
  variables,
} from '../support/azure/deploy-world.ts';

deployWorld();

test('a roll-back takes the image that is asked for, and refuses one that the registry lacks', async () => {
  const find = `az acr repository show --name cr1 --image lamplighter-runtime@${oldDigest} --output json`;
  const all = { LAMPLIGHTER_IMAGE_DIGEST: oldDigest, LAMPLIGHTER_CALLERS: JSON.stringify([me, pipeline]) };
  await tools.script([
    { line: find, stdout: { digest: oldDigest } },
    { line: create('all'), env: variables('all', all), stdout: deployed({ digest: oldDigest, jobs: bothJobs }) },
    ...again(),
  ]);
  expect((await run({ image: `cr1.azurecr.io/lamplighter-runtime@${oldDigest}` })).error).toBeNull();

  await tools.script([{ line: find, ...missing('MANIFEST_UNKNOWN') }, ...again()]);
  expect((await run({ image: oldDigest })).error).toContain('To take it from another registry: --image-from');
});

test('Docker builds and pushes the image when it is asked to', async () => {
  const name = `cr1.azurecr.io/lamplighter-runtime:${tag}`;
  await tools.script([
    { line: image(), ...missing('MANIFEST_UNKNOWN') },
    { line: image(), stdout: { digest: newDigest } },
    { line: 'az acr login --name cr1', stdout: 'Login Succeeded\n' },
    {
      line: `docker build --pull --build-arg BASE=docker.io/library/python:3.12-slim --platform linux/amd64 --tag ${name} .lamplighter/deploy/image`,
    },
    { line: `docker push ${name}` },
    ...again().filter(({ line }) => line !== image()),
  ]);
  expect((await run({ builder: 'docker' })).error).toBeNull();
  const laidOut = await readFile(join(tools.root, '.lamplighter/deploy/image/lamplighter_shim/__main__.py'), 'utf8');
  expect(laidOut).toBe('print("here")\n');
});

test('the tag of the image changes with what is in it and with its base, and with nothing else', async () => {
  await file('infra/runtime/lamplighter_shim/__pycache__/other.pyc', 'compiled');
  expect(await imageTag(tools.root, defaultBase)).toBe(tag);
  expect(await imageTag(tools.root, 'python:3.13-slim')).not.toBe(tag);
  await file('infra/runtime/lamplighter_shim/__main__.py', 'print("there")\n');
  expect(await imageTag(tools.root, defaultBase)).not.toBe(tag);
});

test.each([
  ['nothing at all', 'Error: repository name not known to registry. Correlation ID: c-1.'],
  ['other images', 'Error: the specified tag does not exist. Correlation ID: c-1.'],
])('an image is built when the registry has %s', async (_, text) => {
  const here = again().filter(({ line }) => line !== image());
  const lacks = { line: image(), code: 1, stderr: `ERROR: 2026-11-20 22:13:01.123456 ${text}\n` };
  await tools.script([...here, lacks, { line: image(), stdout: { digest: newDigest } }, { line: build() }]);
  expect((await run({ from: 'image' })).error).toContain('--from package');
  await file('infra/jobs.json', packed);
  await file('dist/app/index.js', '');
  expect((await run({ from: 'image' })).error).toBeNull();
  expect(await tools.calls()).toContain(build());
});

test('prod takes the very image that dev has tried, from the registry of dev', async () => {
  const from = '/subscriptions/s-2/resourceGroups/rg-dev/providers/Microsoft.ContainerRegistry/registries/crdev';
  const find = `az acr repository show --name cr1 --image lamplighter-runtime@${oldDigest} --output json`;
  const take =
    `az acr import --name cr1 --registry ${from} --source lamplighter-runtime@${oldDigest} ` +
    `--image lamplighter-runtime:${'a'.repeat(16)} --force`;
  const all = { LAMPLIGHTER_IMAGE_DIGEST: oldDigest };
  const whole = again().map((one) => (one.line === create('all') ? { ...one, env: { ...one.env, ...all } } : one));
  await tools.script([{ line: find, ...missing('MANIFEST_UNKNOWN') }, { line: take }, ...whole]);
  expect((await run({ image: oldDigest, imageFrom: from })).error).toBeNull();
  const calls = await tools.calls();
  expect(calls).toContain(take);
  expect(calls.some((line) => line.startsWith('az acr build'))).toBe(false);
});
