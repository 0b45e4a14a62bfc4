import { expect, test } from 'vitest';
import { openStore } from '../../shared/store/azure/store.ts';
import { LastWritten } from '../../shared/store/last-written.ts';
import { seven } from '../support/pipeline/cast.ts';
import { freshAccount } from '../support/storage/account.ts';

/** Two hosts with a store each, over one account; the first has written the row of `score` last. */
async function twoHosts() {
  const account = freshAccount();
  const [ours, theirs] = [openStore(account), openStore(account)];
  await ours.prepare();
  await ours.jobs.insert({
    name: 'score',
    since: seven,
    bundle: 'b',
    schedules: [],
    schedulesSince: seven,
    pastSchedules: [],
    made: 0,
    deployedAt: 0,
    unwritten: [],
    paused: null,
    running: [],
    waiting: null,
    waitingBackfill: null,
    last: null,
    streak: 0,
    alarmed: null,
  });
  await ours.jobs.amend('score', (row) => ({ ...row, streak: 1 }));
  return { ours, theirs };
}

test('a change of another host is seen although this host remembers what it wrote', async () => {
  const { ours, theirs } = await twoHosts();
  await theirs.jobs.amend('score', (row) => ({ ...row, paused: { by: 'lee', why: '', at: seven } }));
  const change = await ours.jobs.amend('score', (row) => ({ ...row, streak: row.streak + 1 }));
  expect(change).toMatchObject({ written: true, row: { streak: 2, paused: { by: 'lee' } } });
});

test('a change that is not wanted is judged by the row as it is, never by memory alone', async () => {
  const { ours, theirs } = await twoHosts();
  await theirs.jobs.amend('score', (row) => ({ ...row, streak: 7 }));
  const seen: number[] = [];
  const change = await ours.jobs.amend('score', (row) => {
    seen.push(row.streak);
    return undefined;
  });
  expect(seen.at(-1)).toBe(7);
  expect(change).toMatchObject({ written: false, row: { streak: 7 } });
});

test('two hosts that remember keep every change of each other', async () => {
  const { ours, theirs } = await twoHosts();
  const add = async (store: typeof ours) => {
    for (let i = 0; i < 20; i++) await store.jobs.amend('score', (row) => ({ ...row, streak: row.streak + 1 }));
  };
  await Promise.all([add(ours), add(theirs)]);
  expect((await ours.jobs.get('score'))?.value.streak).toBe(41);
});

test('memory is bounded: the oldest goes first, and what is written again counts as new', () => {
  const recent = new LastWritten<number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  recent.set('a', 3);
  recent.set('c', 4);
  expect(['a', 'b', 'c'].map((key) => recent.get(key))).toEqual([3, undefined, 4]);
});

test('what weighs more takes the room of several, and too much is not kept at all', () => {
  const recent = new LastWritten<string>(5, (text) => text.length);
  for (const text of ['aa', 'bb', 'c']) recent.set(text, text);
  recent.set('ddd', 'ddd');
  expect(['aa', 'bb', 'c', 'ddd'].map((key) => recent.get(key))).toEqual([undefined, undefined, 'c', 'ddd']);
  recent.delete('ddd');
  recent.set('bb', 'bb');
  recent.set('c', 'c');
  expect(['bb', 'c'].map((key) => recent.get(key))).toEqual(['bb', 'c']);
  recent.set('much', 'much too long');
  expect(['bb', 'c', 'much'].map((key) => recent.get(key))).toEqual([undefined, undefined, undefined]);
});

test('a row that this process has inserted is at hand, and needs no reading to be changed', async () => {
  const { ours } = await twoHosts();
  const row = (await ours.jobs.get('score'))?.value;
  if (!row) throw new Error('the row is missing');
  await ours.jobs.insert({ ...row, name: 'fresh' });
  const inserted = ours.jobs.guess('fresh');
  expect(inserted).toEqual(await ours.jobs.get('fresh'));
  expect(await ours.jobs.replace({ ...row, name: 'fresh', streak: 2 }, inserted?.etag ?? '')).toBeDefined();
});
