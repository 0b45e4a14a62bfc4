import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { loop } from '../../cli/host/loop.ts';
import { day, hour, minute } from '../../shared/instant.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { forget } from '../../shared/upkeep/retention.ts';
import { upkeep } from '../../shared/upkeep/upkeep.ts';
import { hourly, job, seven, started } from '../support/pipeline/cast.ts';
import { create } from '../support/pipeline/executor.ts';
import { World } from '../support/pipeline/parts.ts';

/** There the storage account itself removes what attempts have left. */
const azure = { blobs: false };

/** A run that was over an hour after its slot. */
const over = (slot: number, more: Partial<Run> = {}) =>
  newRun('score', slot, 'schedule', slot, { state: 'failed', endedAt: slot + hour, ...more });

test('runs older than the history must be are removed, of jobs that are gone as well; the others stay', async () => {
  const world = await World.of(job('score', { schedule: hourly }), job('gone', { schedule: hourly }));
  world.jobs.delete('gone');
  const border = seven - 400 * day;
  await world.store.runs.insertAll([border - hour - 1, border - hour, border].map((slot) => over(slot)));
  await world.store.runs.insert({ ...over(border - day), job: 'gone' });
  expect((await forget(world.parts, border, azure)).count).toBe(2);
  expect((await world.rows('score')).map(({ slot }) => slot)).toEqual([border - hour, border]);
  expect(await world.rows('gone')).toEqual([]);
});

test('what is not over yet is never removed, however old its slot', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  await world.store.runs.insertAll([
    over(seven - 500 * day, { state: 'queued', endedAt: null }),
    over(seven - 501 * day, { state: 'running', endedAt: null }),
  ]);
  expect((await forget(world.parts, seven - 400 * day, azure)).count).toBe(0);
  expect(await world.rows('score')).toHaveLength(2);
});

test.each([
  ['more than a page', 1_234, World.inMemory],
  ['several requests, over Azurite', 230, World.of],
] as const)('old runs go in one go, two hosts at once: %s', async (_kind, length, open) => {
  const world = await open(job('score', { schedule: hourly }));
  const old = Array.from({ length }, (_, at) => over(seven - 500 * day + at * minute));
  await world.store.runs.insertAll(old);
  await Promise.all([forget(world.parts, seven - 400 * day, azure), forget(world.parts, seven - 400 * day, azure)]);
  expect(await world.rows('score')).toEqual([]);
});

test('a backfill of slots long past is history of the day it ran on', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  const slots = [seven - 500 * day, seven - 450 * day];
  await world.store.runs.insertAll(slots.map((slot) => over(slot, { createdAt: seven - day, endedAt: seven - hour })));
  expect((await forget(world.parts, seven - 400 * day, azure)).count).toBe(0);
  expect((await forget(world.parts, seven, azure)).count).toBe(2);
});

test('the last success of a job that runs rarely stays, as inputs and comparisons are taken from it', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }), job('often', { schedule: hourly }));
  const good: Partial<Run> = { state: 'succeeded' };
  const [older, last] = [seven - 900 * day, seven - 500 * day];
  await world.store.runs.insertAll([over(older, good), over(last, good), over(last + day), over(seven - day)]);
  const often = [last, seven - day].map((slot) => ({ ...over(slot, good), job: 'often' }));
  await world.store.runs.insertAll(often);
  expect((await forget(world.parts, seven - 400 * day, azure)).count).toBe(3);
  expect((await world.rows('score')).map(({ slot }) => slot)).toEqual([last, seven - day]);
  expect((await world.rows('often')).map(({ slot }) => slot)).toEqual([seven - day]);
});

test('metrics and what lists of recent runs have go with their runs', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  const runs = [seven - 500 * day, seven - day].map((slot) => over(slot));
  await world.store.runs.insertAll(runs);
  await world.store.recent.append(runs);
  for (const run of runs) await world.store.metrics.append(run, new Map([['rows', 1]]));
  expect((await forget(world.parts, seven - 400 * day, azure)).count).toBe(1);
  expect(await world.store.metrics.list('score', 'rows', 9)).toMatchObject([{ slot: seven - day }]);
  const recent = [];
  for await (const { slot } of world.store.recent.list()) recent.push(slot);
  expect(recent).toEqual([seven - day]);
});

test('one job that cannot be forgotten stops no other, and is reported', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }), job('broken', { schedule: hourly }));
  await world.store.runs.insertAll([over(seven - 500 * day)]);
  await world.store.runs.insert({ ...over(seven - 500 * day), job: 'broken' });
  const { removeAll } = world.store.runs;
  const runs = {
    ...world.store.runs,
    removeAll: (name: string, ids: string[]) =>
      name === 'broken' ? Promise.reject(new Error('a poisoned row')) : removeAll(name, ids),
  };
  const host = world.host({ store: { ...world.store, runs } });
  expect((await forget(host, seven - 400 * day, azure)).count).toBe(1);
  expect(world.events).toContainEqual(
    expect.objectContaining({ type: 'trouble', doing: 'forgetting old runs of broken' }),
  );
});

test('when time is up the next call goes on, and a job with years of runs does not hold up the others', async () => {
  const names = Array.from({ length: 20 }, (_, at) => `job-${at}`);
  const world = await World.inMemory(...names.map((name) => job(name, { schedule: hourly })));
  const years = Array.from({ length: 2_500 }, (_, at) => ({ ...over(seven - 900 * day + at * minute), job: 'job-3' }));
  await world.store.runs.insertAll(years);
  for (const name of names) await world.store.runs.insert({ ...over(seven - 450 * day), job: name });
  let looks = 0;
  // Three batches of jobs: a page of each job, no second page.
  const once = { blobs: false, hasTime: () => ++looks <= 3 };
  expect((await forget(world.parts, seven - 400 * day, once)).count).toBe(19 + 1_000);
  expect((await forget(world.parts, seven - 400 * day, azure)).count).toBe(1_501);
  expect(await world.rows('job-3')).toEqual([]);
});

test('what other jobs still read is kept with its row, a rerun instead of the original', async () => {
  const reader = job('reader', { schedule: hourly, more: 'inputs: [score/rows.csv]' });
  const world = await World.inMemory(reader, job('score', { more: 'outputs: [rows.csv, log.csv]' }));
  const slot = seven - 500 * day;
  const { attempts } = started('score');
  const outputs = [{ path: 'rows.csv', bytes: 1, sha256: 'ab', rows: 1, problem: null }];
  const original = over(slot, { state: 'succeeded', attempts, outputs });
  const rerun: Run = { ...original, id: `${original.id}.rabc`, trigger: 'rerun', endedAt: slot + 2 * hour };
  await world.store.runs.insertAll([original, rerun]);
  const kept: string[] = [];
  const store = { ...world.store, attempts: { ...world.store.attempts } };
  store.attempts.keep = async ({ run, attempt }, output) => kept.push(`${run}/${attempt}/${output}`) > 0;
  expect((await forget(world.host({ store }), seven - 400 * day, azure)).count).toBe(1);
  expect((await world.rows('score')).map(({ id }) => id)).toEqual([rerun.id]);
  expect(kept).toEqual([`${rerun.id}/1/rows.csv`]);
  // Before it is that old as well: storage counts from the day on which it was written.
  kept.length = 0;
  await forget(world.host({ store }), slot - 29 * day, azure);
  await forget(world.host({ store }), slot - 31 * day, azure);
  expect(kept).toHaveLength(1);
  store.attempts.keep = async () => false;
  await forget(world.host({ store }), seven - 400 * day, azure);
  expect(world.events.map((event) => (event.type === 'trouble' ? String(event.error) : ''))).toContain(
    `Error: rows.csv of score.${rerun.id} is no longer in storage: rerun it, as other jobs read that file`,
  );
});

test('marking an output as used makes it as young as today; one that is gone is no error', async () => {
  const world = await World.of(job('score'));
  const id = { job: 'score', run: '20261120T070000Z', attempt: 1 };
  const { outputs } = await world.store.attempts.urls(id, ['rows.csv'], Date.now() + hour);
  await create(outputs[0]?.url ?? '', 'a,b');
  expect(await world.store.attempts.keep(id, 'rows.csv')).toBe(true);
  expect(await world.store.attempts.keep(id, 'other.csv')).toBe(false);
});

test('a host on one machine forgets as well, with what the attempts have left', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  const old = over(seven - 500 * day, { attempts: started('score').attempts });
  await world.store.runs.insertAll([old, over(Date.now() - day)]);
  const id = { job: 'score', run: old.id, attempt: 1 };
  const { blobs } = await world.store.attempts.urls(id, [], Date.now() + hour);
  await create(blobs.result, '{}');
  const forgotten = Promise.withResolvers<void>();
  const { removeAll } = world.store.runs;
  const runs = { ...world.store.runs };
  runs.removeAll = async (...given) => {
    await removeAll(...given);
    forgotten.resolve();
  };
  const running = loop(world.host({ store: { ...world.store, runs } }), () => 0);
  await forgotten.promise;
  await running.stop();
  expect((await world.rows('score')).map(({ id }) => id)).not.toContain(old.id);
  expect(await world.store.attempts.result(id)).toBeUndefined();
});

test('a job whose row cannot be read is forgotten like the others, and reported', async () => {
  const world = await World.of(job('score', { schedule: hourly }), job('torn', { schedule: hourly }));
  await world.store.runs.insertAll([over(seven - 500 * day)]);
  await world.store.runs.insert({ ...over(seven - 500 * day), job: 'torn' });
  const client = TableClient.fromConnectionString(world.connection, 'jobs', { allowInsecureConnection: true });
  await client.updateEntity({ partitionKey: 'jobs', rowKey: 'torn', running: '[{' }, 'Merge');
  expect(await forget(world.parts, seven - 400 * day, azure)).toEqual({ count: 2, complete: true });
  expect(world.events.filter(({ type }) => type === 'trouble')).toMatchObject([{ doing: 'reading the row of torn' }]);
});

test('old history is looked for once a day, however often a host starts, and again when the time was short', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  let looks = 0;
  const { newestSuccess } = world.store.runs;
  Object.assign(world.store.runs, {
    newestSuccess: (name: string) => {
      looks += 1;
      return newestSuccess(name);
    },
  });
  const daily = (now: number, hasTime = true) =>
    upkeep(world.parts, { ...azure, days: 400, hasTime: () => hasTime }, now);
  await daily(seven, false);
  expect(looks).toBe(0);
  await daily(seven);
  await daily(seven + hour);
  expect(looks).toBe(1);
  await daily(seven + day - minute);
  expect(looks).toBe(2);
});

test('a job with very many metrics keeps no other job waiting, and the time is kept', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }), job('noisy', { schedule: hourly }));
  const slot = seven - 500 * day;
  const run = { ...over(slot), job: 'noisy' };
  await world.store.runs.insertAll([over(slot), run]);
  await world.store.metrics.append(run, new Map(Array.from({ length: 1_500 }, (_, at) => [`m${at}`, at])));
  let rounds = 0;
  expect((await forget(world.parts, seven - 400 * day, { ...azure, hasTime: () => ++rounds <= 20 })).count).toBe(1);
  expect(await world.rows('score')).toEqual([]);
  // The rest is for another day.
  expect(await world.rows('noisy')).toHaveLength(1);
  expect(await world.store.metrics.names('noisy')).toHaveLength(1_000);
});
