import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { imageContext, layOut } from '../../shared/executors/docker/context.ts';
import { Refusal } from '../refusal.ts';
import { buildImage, findDigest, findTag, imageFolder, imageName, importImage, type Known } from './az.ts';
import type { Deployment } from './deployment.ts';
import { mustStand } from './outputs.ts';
import { mustReachRegistry } from './reach.ts';

const shown = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) });

/** The step `image`: the image of this content, or the one that was asked for, is in the registry. */
export async function image(deployment: Deployment): Promise<void> {
  mustStand(deployment);
  const { target, known, say, maybe } = deployment;
  if (target.image !== undefined) {
    known.digest = target.image.slice(target.image.indexOf('sha256:'));
    const digest = known.digest;
    if ((await maybe(findDigest(known, digest), shown)) === null) {
      if (target.imageFrom === undefined) throw new Refusal(notHere(known, digest));
      await deployment.must(importImage(known, target.imageFrom, digest));
    }
    return say(`  Given: ${known.digest}`);
  }
  const tag = await imageTag(deployment.root, target.base, target.uv);
  known.digest = (await maybe(findTag(known, tag), shown))?.digest ?? null;
  if (known.digest !== null && !target.rebuild) {
    return say(`  The registry has it already: ${known.digest}. For a newer base of the same name: --rebuild`);
  }
  mustReachRegistry(deployment);
  const folder = join(deployment.root, imageFolder);
  await rm(folder, { recursive: true, force: true });
  await layOut(await files(deployment.root, target.uv), folder);
  for (const command of buildImage(target, known, tag)) await deployment.must(command);
  known.digest = (await deployment.json(findTag(known, tag), shown)).digest;
  say(`  ${known.digest}`);
}

function notHere({ registry }: Known, digest: string): string {
  const how = '--image-from <resource id of the registry that has it>';
  return `The registry ${registry} has no ${imageName}@${digest}. To take it from another registry: ${how}`;
}

const files = (root: string, uv: string | undefined) => imageContext(join(root, 'infra', 'runtime'), uv);

/**
 * Says what the image holds: the same files on the same base have the same tag, so that a deployment that changes no
 * runtime changes no image.
 */
export async function imageTag(root: string, base: string, uv?: string): Promise<string> {
  const hash = createHash('sha256').update(base);
  for (const { name, path } of await files(root, uv)) hash.update(`\0${name}\0`).update(await readFile(path));
  return hash.digest('hex').slice(0, 16);
}
