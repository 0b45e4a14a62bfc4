import { expect, test } from 'vitest';
import { day, hour, minute } from '../../shared/instant.ts';
import { newRun, type Run, runName } from '../../shared/run/run.ts';
import { newestRuns, type Wanted } from '../../shared/store/newest.ts';
import type { Store } from '../../shared/store/store.ts';
import { seven } from '../support/pipeline/cast.ts';
import { freshAccount, storeOf } from '../support/storage/account.ts';

async function fresh(): Promise<Store> {
  const store = storeOf(freshAccount());
  await store.prepare();
  return store;
}

const over = (job: string, slot: number, more: Partial<Run> = {}) =>
  newRun(job, slot, 'schedule', slot, { state: 'succeeded', endedAt: slot + minute, ...more });

async function keep(store: Store, ...runs: Run[]): Promise<void> {
  for (const run of runs) await store.runs.insert(run);
  await store.recent.append(runs);
}

async function names(store: Store, wanted?: Wanted, most = 99): Promise<string[]> {
  const found: string[] = [];
  for await (const run of newestRuns(store, wanted)) {
    found.push(runName(run));
    if (found.length === most) break;
  }
  return found;
}

test('runs of all jobs come newest slot first, across days, each once', async () => {
  const store = await fresh();
  const runs = [
    over('b', seven),
    over('a', seven),
    over('a', seven - day),
    over('c', seven - 40 * day),
    over('a', seven + hour),
  ];
  await keep(store, ...runs);
  await store.recent.append(runs);
  expect(await names(store)).toEqual([
    'a.20261120T080000Z',
    'a.20261120T070000Z',
    'b.20261120T070000Z',
    'a.20261119T070000Z',
    'c.20261011T070000Z',
  ]);
  expect(await names(store, { from: seven - day })).toHaveLength(4);
  expect(await names(store, { page: 1 }, 2)).toHaveLength(2);
});

test('runs under way are among them in their place, and one that has just ended is there once', async () => {
  const store = await fresh();
  await keep(store, over('a', seven), over('a', seven - hour), over('a', seven + hour));
  const entry = { checkAfter: seven, since: seven };
  const waiting = newRun('b', seven + 30 * minute, 'schedule', seven);
  await store.runs.insert(waiting);
  await store.active.insertAll([
    { job: 'a', run: '20261120T070000Z', ...entry },
    { job: 'b', run: waiting.id, ...entry },
    { job: 'c', run: '20261120T073100Z', ...entry },
  ]);
  expect(await names(store)).toEqual([
    'a.20261120T080000Z',
    'b.20261120T073000Z',
    'a.20261120T070000Z',
    'a.20261120T060000Z',
  ]);
});

test('a list of failures is of failures, and what is gone from the history is left out', async () => {
  const store = await fresh();
  const failed = over('a', seven, { state: 'failed' });
  const gone = over('a', seven + hour, { state: 'failed' });
  await keep(store, failed, over('a', seven - hour), gone);
  await store.runs.removeAll('a', [gone.id]);
  expect(await names(store, { states: new Set(['failed'] as const) })).toEqual([runName(failed)]);
  await store.recent.removeAll([failed]);
  expect(await names(store, { states: new Set(['failed'] as const) })).toEqual([]);
});

test('the newest ten of 300 jobs cost one row each, not one list a job', async () => {
  const store = await fresh();
  await keep(store, ...Array.from({ length: 300 }, (_, at) => over(`job-${at}`, seven + at * minute)));
  let reads = 0;
  const runs = { ...store.runs, list: () => Promise.reject(new Error('a list of one job')) as never };
  runs.get = (...key) => {
    reads += 1;
    return store.runs.get(...key);
  };
  expect(await names({ ...store, runs }, { page: 10 }, 10)).toHaveLength(10);
  expect(reads).toBe(10);
});

test('a list goes on after any run of it, also within one slot, and keeps to some jobs and slots', async () => {
  const store = await fresh();
  const rerun = (job: string, slot: number) => over(job, slot, { id: `${over(job, slot).id}.rabc`, trigger: 'rerun' });
  const runs = ['b', 'a'].flatMap((job) =>
    [0, 1].flatMap((at) => [over(job, seven + at * day), rerun(job, seven + at * day)]),
  );
  await keep(store, ...runs);
  const waiting = newRun('a', seven, 'manual', seven, { id: '20261120T070000Z.mzz' });
  await store.runs.insert(waiting);
  await store.active.insert({ job: 'a', run: waiting.id, checkAfter: seven, since: seven });
  const all: Run[] = [];
  for await (const run of newestRuns(store)) all.push(run);
  expect(all.map(({ id }) => id.slice(6, 8) + id.slice(16))).toEqual([
    '21',
    '21.rabc',
    '21',
    '21.rabc',
    '20',
    '20.mzz',
    '20.rabc',
    '20',
    '20.rabc',
  ]);
  for (const [at, after] of all.entries()) {
    expect(await names(store, { after })).toEqual(all.slice(at + 1).map(runName));
  }
  const some = await names(store, { jobs: new Set(['b']), to: seven });
  expect(some).toEqual(['b.20261120T070000Z', 'b.20261120T070000Z.rabc']);
});
