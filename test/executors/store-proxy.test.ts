import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { storeProxy, storeProxyFolder, storeProxySocket } from '../../shared/executors/docker/store-proxy.ts';
import { until, World } from '../support/shim/shim.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'store-proxy-')), 'way');
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

/** A store that says its name and gives back what it is sent. */
async function store(name: string): Promise<string> {
  const server = createServer(async (asked, answer) => answer.end(`${name} ${(await buffer(asked)).length}`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.closeAllConnections());
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/account`;
}

async function ask(body = ''): Promise<string> {
  const asked = request({ socketPath: join(folder, storeProxySocket), method: 'PUT', path: '/', agent: false });
  asked.end(body);
  const [answer] = await once(asked, 'response');
  return (await buffer(answer)).toString();
}

test('what is sent to the socket reaches the store, and its answer comes back, megabytes too', async () => {
  const way = await storeProxy(folder, await store('first'));
  expect(await ask('x'.repeat(5_000_000))).toBe('first 5000000');
  await way.close();
  await expect(ask()).rejects.toThrow('ENOENT');
  await expect(stat(folder)).rejects.toThrow('ENOENT');
});

test('anyone on this machine may use the socket, as containers run as a user of their own, and list nothing', async () => {
  const way = await storeProxy(folder, await store('first'));
  expect((await stat(join(folder, storeProxySocket))).mode & 0o777).toBe(0o666);
  expect((await stat(folder)).mode & 0o777).toBe(0o711);
  expect(await readdir(folder)).toEqual([storeProxySocket]);
  await way.close();
});

test('two hosts share the store proxy of the first; what a host that died has left is replaced', async () => {
  const first = await storeProxy(folder, await store('first'));
  const second = await storeProxy(folder, await store('second'));
  expect(await ask()).toBe('first 0');
  await second.close();
  expect(await ask()).toBe('first 0');
  await first.close();
  const third = await storeProxy(folder, await store('third'));
  await rm(join(folder, storeProxySocket));
  await writeFile(join(folder, storeProxySocket), 'left behind');
  const fourth = await storeProxy(folder, await store('fourth'));
  expect(await ask()).toBe('fourth 0');
  await Promise.all([third.close(), fourth.close()]);
});

test('when the host whose store proxy both use goes, the other takes over, in the folder that containers see', async () => {
  const first = await storeProxy(folder, await store('first'));
  const second = await storeProxy(folder, await store('second'));
  const { ino } = await stat(folder);
  await first.close();
  expect(await until(() => ask().catch(() => undefined))).toBe('second 0');
  // As by a kill: the socket stays, and no one listens.
  const third = await storeProxy(folder, await store('third'));
  await rm(join(folder, storeProxySocket));
  await writeFile(join(folder, storeProxySocket), 'left behind');
  expect(await until(() => ask().catch(() => undefined))).toBe('third 0');
  expect((await stat(folder)).ino).toBe(ino);
  await second.close();
  expect(await ask()).toBe('third 0');
  await third.close();
  await expect(stat(folder)).rejects.toThrow('ENOENT');
});

test('a store that is unavailable ends the connection and not the store proxy', async () => {
  const way = await storeProxy(folder, 'http://127.0.0.1:1/account');
  await expect(ask()).rejects.toThrow(/hang up|ECONNRESET|EPIPE/);
  await expect(ask()).rejects.toThrow(/hang up|ECONNRESET|EPIPE/);
  await way.close();
});

test('a folder that another host could have made is refused', async () => {
  const mine = await mkdtemp(join(tmpdir(), 'mine-'));
  onTestFinished(() => rm(mine, { recursive: true }));
  await symlink(mine, folder);
  await expect(storeProxy(folder, 'http://127.0.0.1:1')).rejects.toThrow(/is not a folder of this user's: remove it/);
});

test('the path is short enough for a socket, and another for each installation', () => {
  const long = storeProxyFolder('/home/a person/'.repeat(50));
  expect(join(long, storeProxySocket).length).toBeLessThan(100);
  expect(storeProxyFolder('/a')).not.toBe(storeProxyFolder('/b'));
});

test('a shim that is reported a store proxy goes through it, whatever the address says', async () => {
  const world = await World.create();
  const way = await storeProxy(folder, new URL(world.container.url).origin);
  const nowhere = { through: '127.0.0.1:1', relay: join(folder, storeProxySocket) };
  const { result, log } = await world.run(await world.spec('print("through")', nowhere));
  expect(result.outcome).toBe('succeeded');
  expect(log.job.toString()).toBe('through\n');
  await way.close();
});
