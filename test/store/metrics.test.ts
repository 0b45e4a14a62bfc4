import { beforeAll, expect, test } from 'vitest';
import { day, hour } from '../../shared/instant.ts';
import type { MetricValue } from '../../shared/run/attempt.ts';
import { newRun } from '../../shared/run/run.ts';
import { seven } from '../support/pipeline/cast.ts';
import { freshAccount, storeOf } from '../support/storage/account.ts';

const store = storeOf(freshAccount());
beforeAll(() => store.prepare());

const succeeded = (job: string, slot: number) => newRun(job, slot, 'schedule', slot, { state: 'succeeded' });
const append = (job: string, slot: number, values: Record<string, MetricValue>) =>
  store.metrics.append(succeeded(job, slot), new Map(Object.entries(values)));

test('metrics come back newest slot first, with the run they are of, as many as asked for', async () => {
  for (const at of [1, 3, 2]) await append('order', seven + at * hour, { rows: at, share: at / 3 });
  expect(await store.metrics.list('order', 'rows', 2)).toEqual([
    expect.objectContaining({ run: '20261120T100000Z', value: 3, state: 'succeeded', trigger: 'schedule' }),
    expect.objectContaining({ run: '20261120T090000Z', value: 2, slot: seven + 2 * hour }),
  ]);
  expect((await store.metrics.list('order', 'share', 9)).map(({ value }) => value)).toEqual([1, 2 / 3, 1 / 3]);
  expect(await store.metrics.list('order', 'rows', 9, seven + 2 * hour)).toMatchObject([{ value: 1 }]);
  expect(await store.metrics.list('order', 'row', 9)).toEqual([]);
});

test('numbers keep every digit, whole ones and huge ones too, and mixes their counts', async () => {
  const values = { whole: 3, tiny: 5e-324, huge: 1.5e300, negative: -0.1, large: 2 ** 53, mix: { a: 1, 'ß "q"': 2 } };
  await append('exact', seven, values);
  for (const [name, value] of Object.entries(values)) {
    expect((await store.metrics.list('exact', name, 1))[0]?.value).toEqual(value);
  }
});

test('a name may be anything: no key is broken, mixed up or too long', async () => {
  const long = `output:a.csv/${'€'.repeat(100)}`;
  const names = [
    'a',
    'a|b',
    'a}',
    'a/b',
    'a#b',
    'a?b',
    'a\\b',
    "a'b",
    'a%b',
    'a=0041',
    'aA',
    '',
    ' ',
    long,
    `${long}x`,
    '😀',
  ];
  await append('odd', seven, Object.fromEntries(names.map((name, at) => [name, at])));
  expect((await store.metrics.names('odd')).sort()).toEqual([...names].sort());
  for (const [at, name] of names.entries()) {
    expect(await store.metrics.list('odd', name, 9)).toMatchObject([{ metric: name, value: at }]);
  }
});

test('entering the metrics of a run again changes nothing, and more than one request holds are all there', async () => {
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`m${at}`, at]));
  await append('twice', seven, many);
  await append('twice', seven, many);
  expect(await store.metrics.names('twice')).toHaveLength(200);
  expect(await store.metrics.list('twice', 'm7', 9)).toHaveLength(1);
});

test('runs of one slot keep their metrics apart', async () => {
  await append('apart', seven, { rows: 1 });
  const again = newRun('apart', seven, 'rerun', seven, { id: '20261120T070000Z.rabc', state: 'succeeded' });
  await store.metrics.append(again, new Map([['rows', 2]]));
  const points = await store.metrics.list('apart', 'rows', 9);
  expect(points.map(({ run, value }) => `${run} ${value}`).sort()).toEqual([
    '20261120T070000Z 1',
    '20261120T070000Z.rabc 2',
  ]);
});

test('what is old is forgotten, of every metric, and nothing else', async () => {
  for (const at of [0, 1, 2]) await append('old', seven + at * day, { rows: at, share: at });
  await append('other', seven, { rows: 1 });
  let forgotten = 0;
  for await (const count of store.metrics.forget('old', seven + 2 * day)) forgotten += count;
  expect(forgotten).toBe(4);
  expect(await store.metrics.list('old', 'rows', 9)).toMatchObject([{ value: 2 }]);
  expect(await store.metrics.list('other', 'rows', 9)).toHaveLength(1);
});

test('a mix of more categories than a row holds keeps the largest', async () => {
  const mix = Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`category number ${at}`, at]));
  await append('wide', seven, { mix });
  const kept = (await store.metrics.list('wide', 'mix', 1))[0]?.value;
  expect(kept).toMatchObject({ 'category number 1999': 1_999 });
  expect(Object.keys(kept ?? {}).length).toBeLessThan(2_000);
});
