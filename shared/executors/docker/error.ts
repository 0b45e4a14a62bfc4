import type Docker from 'dockerode';
import { StartError } from '../executor.ts';

/** The daemon's own word, as far as it answered at all: an HTTP status. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' ? status : undefined;
}

/** Whether the daemon says that there is no such container or image. */
export const isMissing = (error: unknown) => statusOf(error) === 404;

/** The daemon's sentence, without what the client puts around it. */
export function daemonText(error: unknown): string {
  const said = (error as { json?: { message?: unknown } | null }).json?.message;
  return typeof said === 'string' ? said : error instanceof Error ? error.message : String(error);
}

/** Why an attempt was not started, in words that say what to do. */
export function startError(docker: Docker, image: string, error: unknown): StartError {
  if (error instanceof StartError) return error;
  const status = statusOf(error);
  if (status === undefined) return new StartError('infrastructure', unreachable(docker, error), error);
  const text = daemonText(error);
  if (isMissing(error) && /image/i.test(text)) {
    const build = `lamp image build --base <image with Python> --tag ${image}`;
    return new StartError('infrastructure', `Docker has no image ${image}: build it with ${build}`, error);
  }
  if (/executable file not found|no such file or directory.*exec/i.test(text)) {
    const what = `the image ${image} does not start (${text}): it needs python3 and the shim, see docs/containers.md`;
    return new StartError('configuration', what, error);
  }
  return new StartError(status === 400 ? 'configuration' : 'infrastructure', `Docker: ${text}`, error);
}

export function unreachable(docker: Docker, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code ?? message;
  if (code === 'EACCES') return `Docker at ${address(docker)} may not be used by this user (${why}): join its group`;
  return `Docker does not answer at ${address(docker)} (${why}): start it, or set DOCKER_HOST to where it is`;
}

/** As DOCKER_HOST would say it. */
function address({ modem }: Docker): string {
  const { socketPath, socketPathCache, host, port } = modem as unknown as Record<string, unknown>;
  const path = typeof socketPath === 'string' ? socketPath : socketPathCache;
  return host ? `tcp://${host}:${port}` : `unix://${path ?? '/var/run/docker.sock'}`;
}

/** What the daemon answers; undefined where it says that there is no such thing, or answers with the other status. */
export async function orMissing<T>(answer: Promise<T>, other?: number): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const status = statusOf(error);
    if (status !== undefined && (status === 404 || status === other)) return undefined;
    throw error;
  }
}
