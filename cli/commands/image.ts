import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import Docker from 'dockerode';
import { daemonText, statusOf, unreachable } from '../../shared/executors/docker/error.ts';
import { buildImage } from '../../shared/executors/docker/image.ts';
import type { Home } from '../home.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';

export interface ImageOptions {
  base: string;
  tag: string;
  uv?: string;
  json?: boolean;
}

/** `lamp image build`: the image that jobs run in, made of a base with Python and the shim. */
export async function build(home: Home, { base, tag, uv, json }: ImageOptions): Promise<void> {
  if (uv !== undefined && !(await isFile(uv))) throw new Refusal(`--uv ${uv}: there is no such file.`);
  const docker = new Docker();
  const say = (line: string) => console.error(line);
  const options = { base, tag, runtime: dirname(home.shim), uv: uv ?? null, say };
  const id = await buildImage(docker, options).catch((error) => {
    if (!(error instanceof Error)) throw error;
    const text = 'code' in error && statusOf(error) === undefined ? unreachable(docker, error) : daemonText(error);
    throw new Refusal(text);
  });
  if (json) printJson({ tag, id });
  else console.log(`${tag} ${id}`);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
