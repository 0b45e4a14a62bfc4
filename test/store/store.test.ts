import { DatabaseSync } from 'node:sqlite';
import { TableClient } from '@azure/data-tables';
import { QueueServiceClient } from '@azure/storage-queue';
import { beforeAll, describe, expect, test } from 'vitest';
import { hour, minute } from '../../shared/instant.ts';
import type { JobRow } from '../../shared/run/job-row.ts';
import { newRun, type Run, runId } from '../../shared/run/run.ts';
import { databaseFile } from '../../shared/store/embedded/store.ts';
import type { Store } from '../../shared/store/store.ts';
import { seven } from '../support/pipeline/cast.ts';
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
  alarmed: null,
});

test('preparing an account twice, and by two hosts at once, is harmless', async () => {
  await Promise.all([store.prepare(), storeOf(connection).prepare()]);
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
