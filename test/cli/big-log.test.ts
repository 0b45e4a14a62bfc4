import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientOf } from '../../cli/client.ts';
import { logs } from '../../cli/commands/logs.ts';
import type { Here } from '../../cli/here.ts';
import { v1 } from '../../shared/api/v1.ts';
import { minute } from '../../shared/instant.ts';
import { job } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const piece = 4 * 2 ** 20;
const size = 64 * piece;
const one = Buffer.from(`2026-11-20T07:00:00.123Z ${'x'.repeat(102)}\n`);
const block = Buffer.alloc(piece, one);

let here: Here;
let asked: number[];
const { write } = process.stdout;
beforeAll(async () => {
  const world = await World.inMemory(job('score'));
  const { runNow } = await import('../../shared/actions/run-now.ts');
  await runNow(world.parts, 'score', [], { by: 'x', why: '' }, world.now);
  await world.pass(world.now + minute);
  asked = [];
  const attempts = {
    ...world.store.attempts,
    async log(_: unknown, offset: number) {
      asked.push(offset);
      return offset < size ? Buffer.from(block) : Buffer.alloc(0);
    },
  };
  const parts = world.host({ store: { ...world.store, attempts } });
  const api = v1({ parts, clock: () => world.now }, async () => ({ name: 'x', roles: ['viewer'], departments: null }));
  const client = clientOf('an app', async (path, init) => api.request(path, init), { remote: true });
  here = { connect: async () => client, now: () => world.now, sleep: async () => {} } as unknown as Here;
});
afterAll(() => {
  process.stdout.write = write;
});

test('a log of 256 MB is read piece by piece, each once, and never held as a whole', async () => {
  expect(block.length % one.length).toBe(0);
  let [printed, most, writes] = [0, 0, 0];
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  const before = held();
  process.stdout.write = ((bytes: Buffer) => {
    printed += bytes.length;
    // What may be collected is not held: a fast machine prints more than it collects.
    writes += 1;
    if (writes % 8 === 0) {
      collect();
      most = Math.max(most, held());
    }
    return true;
  }) as typeof write;
  await logs(here, 'score', { follow: true, json: false });
  process.stdout.write = write;
  expect(printed).toBe((size / one.length) * 103);
  expect(asked).toEqual(Array.from({ length: size / piece + 1 }, (_, number) => number * piece));
  expect(most).toBeGreaterThan(0);
  expect(most - before).toBeLessThan(size / 4);
});

function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
