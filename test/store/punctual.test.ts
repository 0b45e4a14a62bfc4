import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import { openEmbedded } from '../../shared/store/embedded/store.ts';
import { countedFrom } from '../../shared/store/launches.ts';
import { seven } from '../support/pipeline/cast.ts';

test.each([
  0,
  1,
  400,
  20 * second,
])('a launch that a tick queues %d ms after it began is there at the instant of its slot, and not a second later', async (ms) => {
  let now = seven;
  const store = openEmbedded(await mkdtemp(join(tmpdir(), 'lamp-punctual-')), () => now);
  await store.prepare();
  const launches = countedFrom(() => now, store.launches);
  const tick = now;
  now += ms;
  await launches.put({ job: 'score', run: 'r', attempt: 1 }, seven + minute, tick);
  now = seven + minute - second;
  expect(await launches.take(8, 30)).toEqual([]);
  now = seven + minute;
  const [received, ...none] = await launches.take(8, 30);
  expect(none).toEqual([]);
  expect(received?.message).toEqual({ job: 'score', run: 'r', attempt: 1, at: seven + minute });
  store.close();
});

test('what is due already, or was planned by a clock ahead of this one, is queued as it was asked for', async () => {
  const asked: number[][] = [];
  const launches = countedFrom(() => seven, {
    put: async (_, at, now) => void asked.push([at, now]),
  } as Parameters<typeof countedFrom>[1]);
  await launches.put({ job: 'score', run: 'r', attempt: 1 }, seven - minute, seven);
  await launches.put({ job: 'score', run: 'r', attempt: 1 }, seven + minute, seven + second);
  expect(asked).toEqual([
    [seven - minute, seven],
    [seven + minute, seven + second],
  ]);
});
