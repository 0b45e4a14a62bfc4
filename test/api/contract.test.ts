import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serve } from '@hono/node-server';
import { expect, onTestFinished, test } from 'vitest';
import { api } from '../../shared/api/api.ts';
import { apiPath } from '../../shared/api/paths.ts';
import { tokenGuard } from '../../shared/api/token-file.ts';
import { apiDocument, v1 } from '../../shared/api/v1.ts';
import { minute } from '../../shared/instant.ts';
import { everyMinute, job } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';
import { findSchemathesis } from '../support/schemathesis.ts';

const run = promisify(execFile);
const schemathesis = await findSchemathesis();

/** Everything that a request may do is done to a world of jobs by one who may do it all. */
async function hosted() {
  const world = await World.inMemory(job('score', { schedule: everyMinute }), job('pull', {}));
  await world.pass(world.now + 2 * minute);
  const guard = tokenGuard('opensesame', 'ops@contoso.com');
  const clock = () => world.now;
  const server = serve({ fetch: api(world.parts, clock, guard).fetch, port: 0, hostname: '127.0.0.1' }) as Server;
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    v1: v1({ parts: world.parts, clock }, guard),
    world,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${apiPath}`,
  };
}

test('the OpenAPI document names every route, what it needs, and every way it may answer', async () => {
  const { v1: app } = await hosted();
  const { paths = {} } = apiDocument(app);
  const routes = app.routes.filter(({ path, method }) => method !== 'ALL' && !path.endsWith('/openapi.json'));
  const named = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item ?? {}).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
  expect(named.sort()).toEqual([...new Set(routes.map(({ method, path }) => `${method} ${path}`))].sort());
  for (const item of Object.values(paths)) {
    for (const operation of Object.values(item ?? {})) {
      expect(operation.summary).toMatch(/\w/);
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['200', '400', '401', '403', '503']));
    }
  }
});

test.skipIf(!schemathesis)(
  'a client that tries whatever the document allows, and what it does not, finds no lie in it',
  async () => {
    const { url, world } = await hosted();
    const options = ['--max-examples', '4', '--workers', '1', '--seed', '7', '--request-timeout', '20', '--no-color'];
    const signedIn = ['--header', 'Authorization: Bearer opensesame'];
    const { stdout } = await run(schemathesis ?? '', ['run', `${url}/openapi.json`, ...options, ...signedIn], {
      // It keeps what it found in the folder where it runs.
      cwd: await mkdtemp(join(tmpdir(), 'lamp-contract-')),
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, HYPOTHESIS_STORAGE_DIRECTORY: '/dev/null' },
    }).catch((error: { stdout: string }) => ({ stdout: `FAILED\n${error.stdout}` }));
    expect(stdout).not.toMatch(/^FAILED/);
    expect(stdout).toMatch(/\d+ generated/);
    expect(world.events.filter(({ type }) => type === 'trouble')).toEqual([]);
  },
  300_000,
);
