import { beforeAll, expect, test } from 'vitest';
import { minute } from '../../shared/instant.ts';
import type { InLine, Place } from '../../shared/store/places.ts';
import type { Store } from '../../shared/store/store.ts';
import { seven } from '../support/pipeline/cast.ts';
import { freshAccount, storeOf } from '../support/storage/account.ts';

let store: Store;

beforeAll(async () => {
  store = storeOf(freshAccount());
  await store.prepare();
});

const place = (number: number, run: string): Place => ({ number, job: 'score', run, attempt: 1, since: seven });
const inLine = (order: string, run: string): InLine => ({ order, job: 'score', run, attempt: 1, since: seven });

test('a number is taken by one of many, and what is freed is only what was seen', async () => {
  const { places } = store;
  const took = await Promise.all(Array.from({ length: 12 }, (_, at) => places.take(place(3, `run-${at}`))));
  expect(took.filter(Boolean)).toHaveLength(1);
  const [seen] = (await places.view(1)).taken;
  if (!seen) throw new Error('nothing is taken');
  expect(seen.value).toMatchObject({ number: 3, job: 'score', since: seven });
  await places.free(seen);
  expect(await places.take(place(3, 'another'))).toBe(true);
  // Seen before, and another's by now.
  await places.free(seen);
  expect((await places.view(1)).taken.map(({ value }) => value.run)).toEqual(['another']);
});

test('those in line come in their order, the first of them only, and standing there twice is standing there once', async () => {
  const { places } = store;
  for (const one of [inLine('1', 'b'), inLine('0', 'a'), inLine('2', 'c'), inLine('0', 'a')]) await places.queue(one);
  expect((await places.view(2)).line.map(({ run }) => run)).toEqual(['a', 'b']);
  await places.leave(inLine('0', 'a'));
  await places.leave(inLine('0', 'a'));
  expect((await places.view(9)).line).toEqual([inLine('1', 'b'), inLine('2', 'c')]);
});

test('places lie beside the active runs, and neither is taken for the other', async () => {
  await store.active.insert({ job: 'score', run: '20261120T070000Z', checkAfter: seven, since: seven });
  const active: string[] = [];
  for await (const { value } of store.active.all(() => {})) active.push(value.run);
  expect(active).toEqual(['20261120T070000Z']);
});

test('the queue says since when its oldest message could have been taken', async () => {
  const { launches } = store;
  const now = Date.now();
  expect(await launches.waitingSince(now)).toBeUndefined();
  await launches.put({ job: 'score', run: 'later', attempt: 1 }, now + 10 * minute, now);
  expect(await launches.waitingSince(now)).toBeUndefined();
  // A backfill of a past slot waits from now on, not since that slot.
  await launches.put({ job: 'score', run: 'past', attempt: 1 }, seven, now);
  expect(await launches.waitingSince(now + minute)).toBe(now);
  for (const { done } of await launches.take(1, 1)) await done();
  expect(await launches.waitingSince(now + minute)).toBeUndefined();
});
