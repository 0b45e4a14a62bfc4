import { chmod, copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';

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
    await place(runtime, context, 'Dockerfile');
    for (const folder of ['lamplighter_shim', 'second_scheduler']) {
      await mkdir(join(context, folder), { mode: 0o755 });
      for (const name of await readdir(join(runtime, folder))) {
        if (name.endsWith('.py')) await place(runtime, context, join(folder, name));
      }
    }
    if (uv !== null) {
      await copyFile(uv, join(context, 'uv'));
      await chmod(join(context, 'uv'), 0o755);
    }
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

/** Copies one file, readable for all: a checkout under umask 077 would make an image that the job's user cannot read. */
async function place(from: string, to: string, name: string): Promise<void> {
  await copyFile(join(from, name), join(to, name));
  await chmod(join(to, name), 0o644);
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
      // A step that fails is told as an event of an answer that is itself 200.
      (event: { stream?: string; status?: string; error?: string }) => {
        failed ??= event.error;
        const line = (event.stream ?? event.status ?? '').trim();
        if (line !== '') say(line);
      },
    );
  });
}
