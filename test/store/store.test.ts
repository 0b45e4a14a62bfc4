import { DatabaseSync } from 'node:sqlite';
import { TableClient } from '@azure/data-tables';
import { QueueServiceClient } from '@azure/storage-queue';
import { beforeAll, describe, expect, test } from 'vitest';
import { hour, minute } from '../../shared/instant.ts';
import type { JobRow } from '../../shared/run/job-row.ts';
import { newRun, type Run, runId } from '../../shared/run/run.ts';
import { databaseFile } from '../../shared/store/embedded/store.ts';
import type { Store } from '../../shared/store/store.ts';
import { seven, started } from '../support/pipeline/cast.ts';
import { folderOf, freshAccount, inFolders, inMemory, storeOf } from '../support/storage/account.ts';
import { textAt } from '../support/storage/address.ts';

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
const jobRow = (name: string): JobRow => ({
  name,
  since: seven,
  bundle: 'abc',
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
});

test('preparing an account twice, and by two hosts at once, is harmless', async () => {
  await Promise.all([store.prepare(), storeOf(connection).prepare()]);
});

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

describe.skipIf(inFolders() || inMemory())('an outage is never an absence', () => {
  test('a missing table, queue or container is an error for the one that reads or writes', async () => {
    const bare = storeOf(freshAccount());
    const id = { job: 'x', run: runId(seven, 'schedule'), attempt: 1 };
    const attempts: Promise<unknown>[] = [
      bare.runs.get('x', id.run),
      bare.runs.insert(scheduled('x', seven)),
      bare.runs.insertAll([scheduled('x', seven)]),
      bare.runs.replace(scheduled('x', seven), 'W/"x"'),
      all(bare.runs.list('x')),
      bare.jobs.get('x'),
      bare.active.remove('x', id.run),
      bare.marks.get('cursor'),
      bare.attempts.result(id),
      bare.attempts.begun(id),
      bare.attempts.lastHeartbeat(id),
      bare.attempts.log(id, 0),
      bare.attempts.abandon(id, 'me'),
      bare.launches.take(1, 1),
    ];
    const ends = await Promise.allSettled(attempts);
    expect(ends.flatMap(({ status }, index) => (status === 'rejected' ? [] : [index]))).toEqual([]);
  });

  test('so is a storage that does not answer', async () => {
    const away = freshAccount().replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:9');
    const client = TableClient.fromConnectionString(away, 'runs', {
      allowInsecureConnection: true,
      retryOptions: { maxRetries: 0 },
    });
    const { runCodec, runs } = await import('../../shared/store/runs.ts');
    const { azureTable } = await import('../../shared/store/azure/table.ts');
    await expect(runs(azureTable(client, runCodec)).get('x', runId(seven, 'schedule'))).rejects.toThrow();
  });
});

describe('the row of a job', () => {
  test('keeps every change of eight writers at once', async () => {
    await store.jobs.insert(jobRow('busy'));
    const writers = Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 5; i++) await store.jobs.amend('busy', (row) => ({ ...row, streak: row.streak + 1 }));
    });
    await Promise.all(writers);
    expect((await store.jobs.get('busy'))?.value.streak).toBe(40);
  });

  test('is left alone when there is nothing to change, and absent when there is none', async () => {
    await store.jobs.insert(jobRow('calm'));
    const before = await store.jobs.get('calm');
    expect(await store.jobs.amend('calm', () => undefined)).toEqual({ row: before?.value, written: false });
    expect((await store.jobs.get('calm'))?.etag).toBe(before?.etag);
    expect(await store.jobs.amend('no one', (row) => row)).toBeUndefined();
  });

  test('comes back whole', async () => {
    const row: JobRow = {
      ...jobRow('full'),
      paused: { by: 'dana', why: '', at: seven },
      running: [{ run: runId(seven, 'backfill'), trigger: 'backfill' }],
      schedules: [
        {
          cron: '0 7 * * *',
          timeZone: 'UTC',
          catchUp: 'all',
          catchUpLimit: 3,
          mustStartWithinMs: 1,
          mustFinishBy: null,
        },
      ],
      streak: -2,
    };
    await store.jobs.insert(row);
    expect((await store.jobs.get('full'))?.value).toEqual(row);
    expect(await store.jobs.insert(row)).toBeUndefined();
  });
});

describe('active runs', () => {
  const entry = (job: string, slot: number) => ({ job, run: runId(slot, 'schedule'), checkAfter: slot, since: slot });

  test('of one job come oldest first, and jobs whose names begin alike stay apart', async () => {
    for (const slot of [seven + hour, seven, seven + minute]) await store.active.insert(entry('pull', slot));
    await store.active.insert(entry('pull-prospects', seven));
    await store.active.insert(entry('pul', seven));
    const found = await all(store.active.ofJob('pull'));
    expect(found.map(({ value }) => value.checkAfter)).toEqual([seven, seven + minute, seven + hour]);
  });

  test('stay as they are when entered again, and removing one twice is fine', async () => {
    await store.active.insert(entry('again', seven));
    await store.active.insert({ ...entry('again', seven), checkAfter: 1 });
    const found = await store.active.get('again', runId(seven, 'schedule'));
    expect(found?.value.checkAfter).toBe(seven);
    if (found) await store.active.lookAgain(found, seven + 5);
    // Its version is old by now: the one that was faster has set a time.
    if (found) await store.active.lookAgain(found, seven + 9);
    expect((await store.active.get('again', runId(seven, 'schedule')))?.value.checkAfter).toBe(seven + 5);
    await store.active.remove('again', runId(seven, 'schedule'));
    await store.active.remove('again', runId(seven, 'schedule'));
  });
});

test('a mark never goes back, the one that writes last', async () => {
  expect(await store.marks.get('cursor')).toBeUndefined();
  await Promise.all([5, 1, 4, 2, 3].map((at) => store.marks.advance('cursor', seven + at, 'host')));
  expect(await store.marks.get('cursor')).toBe(seven + 5);
  await store.marks.advance('cursor', seven, 'host');
  expect(await store.marks.get('cursor')).toBe(seven + 5);
});

test('events of a job are listed newest first, two of one instant both kept', async () => {
  const event = { job: 'reported', kind: 'paused' as const, by: 'dana', why: 'x', details: { n: 1 } };
  for (const at of [seven, seven + 2, seven + 1, seven + 2]) await store.events.append({ ...event, at });
  expect((await all(store.events.list('reported'))).map(({ at }) => at - seven)).toEqual([2, 2, 1, 0]);
});

describe.skipIf(inMemory())('the launch queue', () => {
  const message = { job: 'x', run: runId(seven, 'schedule'), attempt: 1 };

  test('hides a message until its time, shows it to one taker, and again when no one has removed it', async () => {
    const own = storeOf(freshAccount());
    await own.prepare();
    await own.launches.put(message, seven + hour, seven);
    expect(await own.launches.take(32, 30)).toEqual([]);
    await own.launches.put(message, seven - hour, seven);
    const [first, ...none] = await own.launches.take(32, 1);
    expect(first).toMatchObject({ message, count: 1 });
    expect(none).toEqual([]);
    const again: number[] = [];
    while (again.length < 1) {
      for (const { count, message: seen, done } of await own.launches.take(32, 30)) {
        if (seen) again.push(count);
        await done();
      }
    }
    expect(again).toEqual([2]);
    // Another host has it, or has removed it: what the first taker holds is void, and says nothing.
    await first?.done();
  });

  test('holds a delay of weeks to what a queue can keep', async () => {
    await store.launches.put(message, seven + 30 * 24 * hour, seven);
  });

  test('hands out a text that is no message as it is, and keeps the poison apart', async () => {
    const account = freshAccount();
    const own = storeOf(account);
    await own.prepare();
    await putText(account, '{"job":');
    const [received] = await own.launches.take(1, 30);
    expect(received).toMatchObject({ message: undefined, text: '{"job":' });
    await own.launches.putPoison(received?.text ?? '');
    await received?.done();
    expect(await poisonOf(account)).toEqual(['{"job":']);
    expect(await own.launches.poisonCount()).toBe(1);
  });
});

/** Puts a text into the launch queue behind the store's back. */
async function putText(account: string, text: string): Promise<void> {
  if (inFolders()) {
    using db = new DatabaseSync(databaseFile(folderOf(account)));
    db.prepare('INSERT INTO launches (text, at, visible) VALUES (?, 0, 0)').run(text);
    return;
  }
  const queue = QueueServiceClient.fromConnectionString(account).getQueueClient('launch');
  await queue.sendMessage(Buffer.from(text).toString('base64'));
}

async function poisonOf(account: string): Promise<string[]> {
  if (inFolders()) {
    using db = new DatabaseSync(databaseFile(folderOf(account)));
    return db
      .prepare('SELECT text FROM poison')
      .all()
      .map(({ text }) => String(text));
  }
  const queue = QueueServiceClient.fromConnectionString(account).getQueueClient('launch-poison');
  const { receivedMessageItems } = await queue.receiveMessages();
  return receivedMessageItems.map(({ messageText }) => Buffer.from(messageText, 'base64').toString());
}

test.skipIf(inMemory())('a bundle is stored once and for good', async () => {
  expect(await store.bundles.get('digest')).toBeUndefined();
  await store.bundles.put('digest', Buffer.from('one'));
  await store.bundles.put('digest', Buffer.from('two'));
  expect((await store.bundles.get('digest'))?.toString()).toBe('one');
  const url = await store.bundles.url('digest', Date.now() + hour);
  expect(await textAt(url)).toBe('one');
  if (!inFolders()) expect((await fetch(url, { method: 'DELETE' })).ok).toBe(false);
});
