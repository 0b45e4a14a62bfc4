import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { imageContext, layOut } from './context.ts';

export interface ImageOptions {
  /** Image with Python 3.10 or newer that the daemon has, or can pull. */
  base: string;
  tag: string;
  /** Folder with the Dockerfile and the shim, `infra/runtime`. */
  runtime: string;
  /** A uv binary for Linux, for jobs with a uv.lock; null: none. */
  uv: string | null;
  /** Gets the lines of the build. */
  say: (line: string) => void;
}

/**
 * Builds the image that jobs run in, without network. @returns its id, `sha256:…`, which changes only with its content.
 * @throws Error with the daemon's words
 */
export async function buildImage(docker: Docker, { base, tag, runtime, uv, say }: ImageOptions): Promise<string> {
  const context = await mkdtemp(join(tmpdir(), 'lamplighter-image-'));
  try {
    await layOut(await imageContext(runtime, uv ?? undefined), context);
    const stream = await docker.buildImage(
      { context, src: await readdir(context) },
      { t: tag, buildargs: { BASE: base }, networkmode: 'none', forcerm: true },
    );
    await built(docker, stream, say);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  return (await docker.getImage(tag).inspect()).Id;
}

function built(docker: Docker, stream: NodeJS.ReadableStream, say: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let failed: string | undefined;
    docker.modem.followProgress(
      stream,
      (error) => {
        const problem = error ?? (failed === undefined ? undefined : new Error(`the image was not built: ${failed}`));
        if (problem) reject(problem);
        else resolve();
      },
      // A step that fails is reported as an event of an answer that is itself 200.
      (event: { stream?: string; status?: string; error?: string }) => {
        failed ??= event.error;
        const line = (event.stream ?? event.status ?? '').trim();
        if (line !== '') say(line);
      },
    );
  });
}
