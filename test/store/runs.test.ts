import { TableClient } from '@azure/data-tables';
import { beforeAll, describe, expect, test } from 'vitest';
import { minute } from '../../shared/instant.ts';
import { newRun, type Run, runId } from '../../shared/run/run.ts';
import type { Store } from '../../shared/store/store.ts';
import { seven, started } from '../support/pipeline/cast.ts';
import { freshAccount, inFolders, inMemory, storeOf } from '../support/storage/account.ts';

const connection = freshAccount();
const store: Store = storeOf(connection);
beforeAll(() => store.prepare());

async function all<T>(things: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const thing of things) found.push(thing);
  return found;
}
const slotsOf = async (job: string, range?: Parameters<Store['runs']['list']>[1]) =>
  (await all(store.runs.list(job, range))).map(({ value }) => value.slot);
const scheduled = (job: string, slot: number, more: Partial<Run> = {}) => newRun(job, slot, 'schedule', slot, more);

describe('runs', () => {
  test('come back as they were written, to the millisecond and the last field', async () => {
    const run = started('whole', {
      startBy: seven + 1,
      finishBy: seven + 2,
      startedAt: seven + 3,
      asked: { by: 'dana', why: 'Grüße "quoted" 😀' },
      args: ['--x', ''],
      metrics: { rows: 1.5, mix: { a: 1 } },
      versions: { bundle: 'b', commit: null, lock: null, image: null, python: '3.12', secrets: { key: 'v1' } },
      warnings: ['late'],
    });
    const written = await store.runs.insert(run);
    const found = await store.runs.get('whole', run.id);
    expect(found?.value).toEqual(run);
    expect(found?.etag).toBe(written?.etag);
  });

  test('are listed newest slot first over many pages, each once, other jobs left out', async () => {
    const slots = Array.from({ length: 130 }, (_, index) => seven + index * minute);
    expect(await store.runs.insertAll(slots.map((slot) => scheduled('paged', slot)))).toHaveLength(130);
    await store.runs.insert(scheduled('paged2', seven));
    await store.runs.insert(scheduled('page', seven));
    expect(await slotsOf('paged', { page: 7 })).toEqual([...slots].reverse());
    expect(await slotsOf('paged')).toEqual([...slots].reverse());
  });

  test('in a range include both of its ends, and runs of all kinds of a slot', async () => {
    for (const slot of [seven - 1, seven, seven + 1, seven + 1_000]) await store.runs.insert(scheduled('range', slot));
    await store.runs.insert(newRun('range', seven, 'backfill', seven));
    await store.runs.insert(newRun('range', seven, 'manual', seven, { id: runId(seven, 'manual', 'zzzzzz') }));
    expect(await slotsOf('range', { from: seven, to: seven })).toEqual([seven, seven, seven]);
    expect(await slotsOf('range', { from: seven, to: seven + 1 })).toEqual([seven + 1, seven, seven, seven]);
    expect(await slotsOf('range', { to: seven - 1 })).toEqual([seven - 1]);
    expect(await slotsOf('range', { from: seven + 2 })).toEqual([seven + 1_000]);
    expect(await slotsOf('range', { from: seven + 2, to: seven + 3 })).toEqual([]);
  });

  test('of one slot and trigger collide, the one that inserts them', async () => {
    const both = await Promise.all([1, 2].map(() => store.runs.insert(scheduled('claim', seven))));
    expect(both.filter(Boolean)).toHaveLength(1);
  });

  test('are not written over a version that was not read', async () => {
    const first = await store.runs.insert(scheduled('etag', seven));
    const run = scheduled('etag', seven, { state: 'running' });
    const second_ = await store.runs.replace(run, first?.etag ?? '');
    expect(second_).toBeDefined();
    expect(await store.runs.replace({ ...run, state: 'failed' }, first?.etag ?? '')).toBeUndefined();
    expect(await store.runs.replace({ ...run, state: 'succeeded' }, second_?.etag ?? '')).toBeDefined();
    expect(await store.runs.replace(scheduled('etag', seven + 1), first?.etag ?? '')).toBeUndefined();
    expect((await store.runs.get('etag', run.id))?.value.state).toBe('succeeded');
  });

  test('lose the columns that have become empty', async () => {
    const first = await store.runs.insert(scheduled('empty', seven, { nextAttemptAt: seven, reason: 'x' }));
    await store.runs.replace(scheduled('empty', seven), first?.etag ?? '');
    expect((await store.runs.get('empty', runId(seven, 'schedule')))?.value).toMatchObject({
      nextAttemptAt: null,
      reason: null,
    });
  });

  test('are inserted by the hundred; those that exist stay as they are, and only the new ones are reported', async () => {
    const slots = Array.from({ length: 250 }, (_, index) => seven + index * minute);
    const existing = [3, 120, 249].map((index) => slots[index] ?? 0);
    for (const slot of existing) await store.runs.insert(scheduled('batch', slot, { state: 'succeeded' }));
    const fresh = await store.runs.insertAll(slots.map((slot) => scheduled('batch', slot, { state: 'missed' })));
    expect(fresh.map(({ slot }) => slot)).toEqual(slots.filter((slot) => !existing.includes(slot)));
    const found = await all(store.runs.list('batch'));
    expect(found).toHaveLength(250);
    expect(found.filter(({ value }) => value.state === 'succeeded')).toHaveLength(3);
  });

  test('take whatever an attempt has left: what does not fit is left out of the row, never the row', async () => {
    const attempt = started().attempts[0];
    const run = started('huge', {
      metrics: {
        ...Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`metric_${index}`, index])),
        mix: Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`category ${index}`, index])),
      },
      warnings: Array.from({ length: 100 }, () => 'x'.repeat(1_000)),
      outputs: Array.from({ length: 200 }, (_, index) => ({
        path: `out-${index}.csv`,
        bytes: 1,
        sha256: null,
        rows: null,
        problem: 'y'.repeat(500),
      })),
      attempts: Array.from({ length: 15 }, (_, index) => ({
        ...(attempt as NonNullable<typeof attempt>),
        number: index + 1,
        error: 'z'.repeat(4_000),
      })),
    });
    await store.runs.insert(run);
    const value = (await store.runs.get('huge', run.id))?.value;
    expect(value?.attempts.map(({ number }) => number)).toEqual(run.attempts.map(({ number }) => number));
    expect(value?.attempts[0]?.error).toHaveLength(200);
    expect(value?.metrics).toMatchObject({ metric_0: 0 });
    expect(value?.metrics).not.toHaveProperty('mix');
    expect(value?.warnings.length).toBeGreaterThan(20);
    expect(value?.outputs[0]?.path).toBe('out-0.csv');
    if (inFolders() || inMemory()) return;
    const raw = TableClient.fromConnectionString(connection, 'runs', { allowInsecureConnection: true });
    for await (const row of raw.listEntities({ queryOptions: { filter: `PartitionKey eq 'huge'` } })) {
      for (const cell of Object.values(row)) expect(String(cell).length).toBeLessThanOrEqual(32_768);
    }
  });

  test('refuse an id that is none, and arguments that no row holds', async () => {
    await expect(async () => store.runs.get('x', '../../etc')).rejects.toThrow('"../../etc" is no run id');
    const run = scheduled('args', seven, { args: ['x'.repeat(40_000)] });
    await expect(store.runs.insert(run)).rejects.toThrow(/^args of args\.20261120T070000Z takes 40004 characters/);
  });
});
