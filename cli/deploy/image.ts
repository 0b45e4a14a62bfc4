import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import { buildImage, findDigest, findTag, imageFolder, imageName, type Known } from './az.ts';
import type { Deployment } from './deployment.ts';
import { mustStand } from './outputs.ts';

const shown = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) });

/** The step `image`: the image of this content, or the one that was asked for, is in the registry. */
export async function image(deployment: Deployment): Promise<void> {
  mustStand(deployment);
  const { target, known, say, maybe } = deployment;
  if (target.image !== undefined) {
    known.digest = target.image.slice(target.image.indexOf('sha256:'));
    if ((await maybe(findDigest(known, known.digest), shown)) === null) throw new Refusal(notHere(known, known.digest));
    return say(`  Given: ${known.digest}`);
  }
  const tag = await imageTag(deployment.root, target.base, target.uv);
  known.digest = (await maybe(findTag(known, tag), shown))?.digest ?? null;
  if (known.digest !== null && !target.rebuild) {
    return say(`  The registry has it already: ${known.digest}. For a newer base of the same name: --rebuild`);
  }
  await layOut(deployment.root, target.uv);
  for (const command of buildImage(target, known, tag)) await deployment.must(command);
  known.digest = (await deployment.json(findTag(known, tag), shown)).digest;
  say(`  ${known.digest}`);
}

function notHere({ registry }: Known, digest: string): string {
  const from = `--registry <resource id of the other registry> --source ${imageName}@${digest}`;
  const take = `az acr import --name ${registry} ${from} --image ${imageName}:taken --force`;
  return `The registry ${registry} has no ${imageName}@${digest}. From another registry it is taken by: ${take}`;
}

interface Part {
  /** Below the folder that the image is made of, with forward slashes. */
  name: string;
  path: string;
  mode: number;
}

/** What the image is made of: the Dockerfile and Python files of infra/runtime, and uv when it is given. */
async function parts(root: string, uv: string | undefined): Promise<Part[]> {
  const from = join(root, 'infra', 'runtime');
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && (entry.name === 'Dockerfile' || entry.name.endsWith('.py')))
    .map((entry) => relative(from, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  const files = names.sort().map((name) => ({ name, path: join(from, name), mode: 0o644 }));
  return uv === undefined ? files : [...files, { name: 'uv', path: uv, mode: 0o755 }];
}

/**
 * Says what the image holds: the same files on the same base have the same tag, so that a deployment that changes no
 * runtime changes no image.
 */
export async function imageTag(root: string, base: string, uv?: string): Promise<string> {
  const hash = createHash('sha256').update(base);
  for (const { name, path } of await parts(root, uv)) hash.update(`\0${name}\0`).update(await readFile(path));
  return hash.digest('hex').slice(0, 16);
}

/** Puts the parts together, readable for all: a checkout under umask 077 would make an image that its user cannot read. */
async function layOut(root: string, uv: string | undefined): Promise<void> {
  const to = join(root, imageFolder);
  await rm(to, { recursive: true, force: true });
  for (const { name, path, mode } of await parts(root, uv)) {
    const target = join(to, name);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await copyFile(path, target);
    await chmod(target, mode);
  }
}
