import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { day } from '../../shared/instant.ts';
import type { Store } from '../../shared/store/store.ts';
import { seven } from '../support/pipeline/cast.ts';
import { freshAccount, storeOf } from '../support/storage/account.ts';

let store: Store;

beforeAll(async () => {
  store = storeOf(freshAccount());
  await store.prepare();
});

const request = (key: string, token: string, at = seven) => ({ caller: 'lee', key, asked: 'sum', at, token });

test('of many requests with one key the first is the one for all, and so is the answer that is kept first', async () => {
  const tokens = Array.from({ length: 8 }, (_, at) => `t${at}`);
  const first = await Promise.all(tokens.map((token) => store.requests.first(request('many', token))));
  expect(new Set(first.map(({ token }) => token)).size).toBe(1);
  const { token } = first[0] ?? { token: '' };
  const kept = await Promise.all(tokens.map((one) => store.requests.keep(request('many', token), `"${one}"`)));
  expect(new Set(kept).size).toBe(1);
  expect((await store.requests.first(request('many', 'late'))).answer).toBe(kept[0]);
});

test('an answer that no row holds is not kept, one of a thousand names is', async () => {
  const names = JSON.stringify(Array.from({ length: 1_000 }, (_, at) => `score.2026112${at % 10}T07${at}00Z.b`));
  const noise = randomBytes(40_000).toString('base64');

  for (const [key, answer, read] of [
    ['names', names, names],
    ['noise', noise, null],
  ] as const) {
    await store.requests.first(request(key, 't'));
    expect(await store.requests.keep(request(key, 't'), answer)).toBe(answer);
    expect((await store.requests.first(request(key, 'other'))).answer === read).toBe(true);
  }
});

test('after a day the key is free: for another request, and an answer that comes so late is no one’s', async () => {
  await store.requests.first(request('old', 'first'));
  const next = await store.requests.first(request('old', 'second', seven + day));
  expect(next).toMatchObject({ token: 'second', answer: null });
  expect(await store.requests.keep(request('old', 'first'), '1')).toBe('1');
  expect((await store.requests.first(request('old', 'third', seven + day))).answer).toBeNull();
});

test('what is older than a day is removed, the others stay', async () => {
  await store.requests.first(request('yesterday', 'a', seven - day));
  await store.requests.first(request('today', 'a', seven - day + 1));
  await store.requests.forget(seven);
  expect((await store.requests.first(request('yesterday', 'b', seven - day))).token).toBe('b');
  expect((await store.requests.first(request('today', 'b', seven - day))).token).toBe('a');
});
