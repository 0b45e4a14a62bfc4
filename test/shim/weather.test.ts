import { afterEach, expect, test } from 'vitest';
import { fair, proxy, type StorageProxy } from '../faults/proxy.ts';
import { randomFrom } from '../faults/random.ts';
import { World } from '../support/shim/shim.ts';

let way: StorageProxy | undefined;
afterEach(() => way?.close());

const printing = 'import time\nfor i in range(20):\n    print("line", i, flush=True); time.sleep(0.06)';
const printed = Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join('');

test.each([
  ['refuses half of all requests with 409, 412, 429, 500 and 503', { refuse: 0.5 }],
  ['carries out every request twice', { repeat: 1 }],
  ['answers late', { delay: 1, delayMs: 300 }],
])('storage that %s costs neither a line of the log nor the result', async (_, kind) => {
  const world = await World.create();
  const weather = { ...fair };
  way = await proxy(Number(new URL(world.container.url).port), () => weather, randomFrom(3));
  const through = `127.0.0.1:${way.port}`;
  const spec = await world.spec(printing, { through, outputs: ['a.txt'], deliverMs: 60_000 });
  // The start stays out of it: whose answer is in doubt leaves, and another attempt runs.
  spec.blobs.started = world.url(`${spec.run}/started.json`, 'c');
  Object.assign(weather, kind);
  const { result, log } = await world.run(spec);
  expect(result.outcome).toBe('succeeded');
  expect(log.job.toString()).toBe(printed);
  expect(Object.values(way.counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
});
