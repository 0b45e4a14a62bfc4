import { groupId, notFound } from './arm.ts';
import { hosts } from './hosts.ts';
import type { Reply, Request } from './server.ts';

/** A container registry: what az asks of it for its images, and builds in it (an ACR task, with its log in a blob). */
export function registry(name: string, group: string) {
  /** Tag or digest → digest. */
  const images = new Map<string, string>();
  const server = `${name}.${hosts.registry}`;
  const resource = {
    id: `${groupId(group)}/providers/Microsoft.ContainerRegistry/registries/${name}`,
    name,
    type: 'Microsoft.ContainerRegistry/registries',
    location: 'westeurope',
    sku: { name: 'Basic', tier: 'Basic' },
    properties: { loginServer: server, provisioningState: 'Succeeded', adminUserEnabled: false },
  };
  /** What was asked to be built, the newest last. */
  const builds: { imageNames: string[]; arguments: { name: string; value: string }[] }[] = [];
  const state = { digest: '', fails: false };

  /** Management of it. */
  function arm({ method, path, json }: Request): Reply | undefined {
    if (!path.toLowerCase().startsWith(resource.id.toLowerCase())) return undefined;
    const action = path.slice(resource.id.length);
    if (method === 'GET' && action === '') return { body: resource };
    const blobs = `https://tasks.blob.${hosts.storage}`;
    if (action === '/listBuildSourceUploadUrl')
      return { body: { relativePath: 'source/1.tar.gz', uploadUrl: `${blobs}/source/1.tar.gz?sig=x` } };
    if (action === '/scheduleRun') {
      builds.push(json as (typeof builds)[number]);
      return { body: run('Queued') };
    }
    if (/^\/runs\/cb1\/listLogSasUrl$/.test(action)) return { body: { logLink: `${blobs}/logs/cb1?sig=x` } };
    if (method === 'GET' && action === '/runs/cb1') return { body: run(state.fails ? 'Failed' : 'Succeeded') };
    return undefined;
  }

  function run(status: string) {
    return {
      id: `${resource.id}/runs/cb1`,
      name: 'cb1',
      type: 'Microsoft.ContainerRegistry/registries/runs',
      properties: { runId: 'cb1', status, provisioningState: 'Succeeded' },
    };
  }

  /** Storage of its tasks. */
  function blobs({ method, path }: Request): Reply | undefined {
    if (method === 'PUT')
      return { status: 201, headers: { etag: '"1"', 'last-modified': 'Sat, 28 Nov 2026 08:00:00 GMT' } };
    if (path !== '/logs/cb1') return undefined;
    if (!state.fails) {
      const [image = ''] = builds.at(-1)?.imageNames ?? [];
      images.set(image.split(':')[1] ?? '', state.digest);
      images.set(state.digest, state.digest);
    }
    const log = state.fails
      ? 'pull rate limit\r\nRun ID: cb1 failed\r\n'
      : 'Step 1\r\nRun ID: cb1 was successful after 1s\r\n';
    const headers = {
      'content-type': 'text/plain',
      'x-ms-blob-type': 'AppendBlob',
      'x-ms-meta-Complete': state.fails ? 'failed' : 'successful',
      etag: '"1"',
      'last-modified': 'Sat, 28 Nov 2026 08:00:00 GMT',
    };
    if (method === 'HEAD') return { headers, body: log };
    return {
      status: 206,
      headers: { ...headers, 'content-range': `bytes 0-${log.length - 1}/${log.length}` },
      body: log,
    };
  }

  /** The registry itself. */
  function data({ method, path }: Request): Reply | undefined {
    if (path === '/v2/') {
      const challenge = `Bearer realm="https://${server}/oauth2/token",service="${server}"`;
      return { status: 401, headers: { 'www-authenticate': challenge }, body: {} };
    }
    if (path === '/oauth2/exchange') return { body: { refresh_token: token } };
    if (path === '/oauth2/token') return { body: { access_token: token } };
    const [, kind, wanted = ''] = /^\/acr\/v1\/lamplighter-runtime\/_(tags|manifests)\/(.+)$/.exec(path) ?? [];
    if (method !== 'GET' || kind === undefined) return undefined;
    if (images.size === 0) return absent('NAME_UNKNOWN', 'repository name not known to registry');
    const digest = images.get(wanted);
    if (!digest) {
      return kind === 'tags'
        ? absent('TAG_UNKNOWN', 'the specified tag does not exist')
        : absent('MANIFEST_UNKNOWN', `manifest ${wanted} is not found`);
    }
    const shown = { digest, createdTime: '2026-11-28T08:00:00Z', lastUpdateTime: '2026-11-28T08:00:00Z' };
    const body = kind === 'tags' ? { tag: { name: wanted, ...shown } } : { manifest: shown };
    return { body: { registry: server, imageName: 'lamplighter-runtime', ...body } };
  }

  return { resource, images, builds, state, arm, blobs, data };
}

function absent(code: string, message: string): Reply {
  return { ...notFound(code, message), body: { errors: [{ code, message, detail: {} }] } };
}

/** Reads as a token that is good for long. */
const token = ['{"alg":"none"}', '{"exp":4102444800}', 'x']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');
