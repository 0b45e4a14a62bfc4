import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { isAlive } from '../../shared/executors/process/pid.ts';
import { processExecutor } from '../../shared/executors/process/process.ts';
import type { AttemptId } from '../../shared/store/attempts.ts';
import { executorContract } from '../support/pipeline/executor-contract.ts';
import { python as interpreter } from '../support/shim/python.ts';
import { shim, until, World } from '../support/shim/shim.ts';

const folder = await mkdtemp(join(tmpdir(), 'process-'));
const options = { python: interpreter(), shim, shimLog: join(folder, 'shim.log') };
afterAll(() => rm(folder, { recursive: true, force: true }));

executorContract('process', async () => {
  const executor = processExecutor({ ...options, ended: () => {} });
  return {
    executor,
    sharesDisk: true,
    async startAndDie(spec) {
      const host = spawn(process.execPath, [join(import.meta.dirname, '../support/pipeline/start-and-die.ts')], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      host.stdin.end(JSON.stringify({ options, spec }));
      const [handle, [, signal]] = await Promise.all([text(host.stdout), once(host, 'close')]);
      expect(signal).toBe('SIGKILL');
      return handle;
    },
    async close() {
      executor.stopAll();
      await executor.idle();
    },
  };
});

test('a Python that cannot be started is reported as a matter of the installation, which may be tried again', async () => {
  const world = await World.create();
  const ended: AttemptId[] = [];
  const broken = processExecutor({ ...options, python: '/nowhere/python3', ended: (id) => ended.push(id) });
  await expect(broken.start(await world.spec(''))).rejects.toMatchObject({
    name: 'StartError',
    class: 'infrastructure',
    message: expect.stringContaining('/nowhere/python3'),
  });
  await broken.idle();
  expect(broken.running()).toBe(0);
});

test('the host hears once of each attempt that it started, when its shim is gone', async () => {
  const world = await World.create();
  const ended: AttemptId[] = [];
  const executor = processExecutor({ ...options, ended: (id) => ended.push(id) });
  const go = join(await mkdtemp(join(tmpdir(), 'lamp-go-')), 'go');
  const wait = `import os, time\nwhile not os.path.exists('${go}'): time.sleep(0.02)\n`;
  const specs = await Promise.all([world.spec(`${wait}print(1)`), world.spec(`${wait}raise SystemExit(1)`)]);
  await Promise.all(specs.map((spec) => executor.start(spec)));
  expect(executor.running()).toBe(2);
  await writeFile(go, '');
  await executor.idle();
  expect(executor.running()).toBe(0);
  expect(ended.map(({ run }) => run).sort()).toEqual(specs.map(({ run }) => run).sort());
});

test('a handle names one process for good: another with the same number is not taken for it', async () => {
  const world = await World.create();
  const executor = processExecutor({ ...options, ended: () => {} });
  const spec = await world.spec('import time\ntime.sleep(30)\n');
  const handle = await executor.start(spec);
  await until(() => world.exists(`${spec.run}/started.json`));
  const other = `${handle.split(':')[0]}:1`;
  expect([await isAlive(handle), await isAlive(other), await isAlive(''), await isAlive('0:')]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  await executor.stop({ ...spec, handle: other });
  expect(await isAlive(handle)).toBe(true);
  executor.stopAll();
  await executor.idle();
  expect((await world.left(spec)).result.outcome).toBe('stopped');
});
