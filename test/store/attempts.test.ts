import { BlobServiceClient } from '@azure/storage-blob';
import { beforeAll, expect, test } from 'vitest';
import { hour } from '../../shared/instant.ts';
import { resultOf as leftBy, outside } from '../../shared/run/outside.ts';
import { newAttempt, newRun } from '../../shared/run/run.ts';
import { UnreadableResult } from '../../shared/store/attempts.ts';
import { seven } from '../support/pipeline/cast.ts';
import { create, resultOf } from '../support/pipeline/executor.ts';
import { freshAccount, inFolders, storeOf } from '../support/storage/account.ts';
import { append, put, textAt } from '../support/storage/address.ts';

const connection = freshAccount();
const store = storeOf(connection);
beforeAll(() => store.prepare());
let count = 0;
const fresh = () => ({ job: 'score', run: '20261120T070000Z', attempt: ++count });
const soon = () => Date.now() + hour;
const write = { 'x-ms-blob-type': 'BlockBlob' };

test.skipIf(inFolders())('the addresses of an attempt let a shim create its marks and no more', async () => {
  const id = fresh();
  const { blobs, outputs } = await store.attempts.urls(id, ['out/list.csv'], soon());
  for (const url of [blobs.started, blobs.result, outputs[0]?.url ?? '']) {
    expect(await create(url, 'one')).toBe(true);
    expect(await create(url, 'two')).toBe(false);
    // Without the condition too: the signature itself forbids it.
    expect((await fetch(url, { method: 'PUT', headers: write, body: 'three' })).ok).toBe(false);
    // Its own mark a shim may read: an answer to its creation that got lost is compared with what is there.
    expect((await fetch(url)).ok).toBe(url === blobs.started);
    expect((await fetch(url, { method: 'DELETE' })).ok).toBe(false);
  }
  const container = BlobServiceClient.fromConnectionString(connection).getContainerClient('runs');
  const kept = await container.getBlobClient(`score/20261120T070000Z/${id.attempt}/result.json`).downloadToBuffer();
  expect(kept.toString()).toBe('one');
});

test('a heartbeat can be given again and again, and not read', async () => {
  const id = fresh();
  const { blobs } = await store.attempts.urls(id, [], soon());
  for (const _ of [1, 2]) expect(await put(blobs.heartbeat, '')).toBe(true);
  if (!inFolders()) expect((await fetch(blobs.heartbeat)).ok).toBe(false);
  expect(await store.attempts.lastHeartbeat(id)).toBeGreaterThan(Date.now() - hour);
  expect(await store.attempts.begun(id)).toBeUndefined();
});

test('a log can be appended to, not read, and not begun anew', async () => {
  const id = fresh();
  const { blobs } = await store.attempts.urls(id, [], soon());
  expect(await store.attempts.log(id, 0)).toBeUndefined();
  await append(blobs.log);
  expect(await store.attempts.log(id, 0)).toEqual(Buffer.alloc(0));
  if (inFolders()) await append(blobs.log, 'one\n', 'two\n');
  else {
    for (const text of ['one\n', 'two\n']) {
      expect((await fetch(`${blobs.log}&comp=appendblock`, { method: 'PUT', body: text })).ok).toBe(true);
    }
    expect((await fetch(blobs.log)).ok).toBe(false);
    expect((await fetch(blobs.log, { method: 'PUT', headers: { 'x-ms-blob-type': 'AppendBlob' } })).ok).toBe(false);
  }
  expect((await store.attempts.log(id, 4))?.toString()).toBe('two\n');
  expect(await store.attempts.log(id, 8)).toEqual(Buffer.alloc(0));
  expect(await store.attempts.log(id, 800)).toEqual(Buffer.alloc(0));
});

test.skipIf(inFolders())('an address is good for its blob and its time only', async () => {
  const id = fresh();
  const { blobs } = await store.attempts.urls(id, [], Date.now() - 1_000);
  await expect(create(blobs.started, '')).rejects.toThrow('403');
  const other = await store.attempts.urls(fresh(), [], soon());
  const forged = `${blobs.result.split('?')[0]}?${other.blobs.result.split('?')[1]}`;
  await expect(create(forged, '')).rejects.toThrow('403');
  expect(await store.attempts.result(id)).toBeUndefined();
});

test('an attempt is abandoned or begun, never both, the one that is first', async () => {
  const [quick, slow, both] = [fresh(), fresh(), fresh()];
  expect(await store.attempts.abandon(quick, 'host')).toBe(true);
  expect(await create((await store.attempts.urls(quick, [], soon())).blobs.started, '{}')).toBe(false);
  expect(await store.attempts.abandon(quick, 'another')).toBe(true);
  expect(await store.attempts.begun(quick)).toBeUndefined();

  expect(await create((await store.attempts.urls(slow, [], soon())).blobs.started, '{"pid":1}')).toBe(true);
  expect(await store.attempts.abandon(slow, 'host')).toBe(false);
  expect(await store.attempts.begun(slow)).toBeGreaterThan(0);

  const { started } = (await store.attempts.urls(both, [], soon())).blobs;
  const [begun, abandoned] = await Promise.all([create(started, '{"pid":1}'), store.attempts.abandon(both, 'host')]);
  expect(begun).not.toBe(abandoned);
});

test('a heartbeat says whether the job goes on, or what it left is being delivered', async () => {
  const id = fresh();
  expect(await store.attempts.delivering(id)).toBe(false);
  for (const [body, delivering] of [
    ['{}', false],
    ['{"delivering":true}', true],
    ['{"delivering":', false],
  ] as const) {
    const { heartbeat } = (await store.attempts.urls(id, [], soon())).blobs;
    await put(heartbeat, body);
    expect([body, await store.attempts.delivering(id)]).toEqual([body, delivering]);
  }
});

test('a result is read as it was written; one that is none says where it lies', async () => {
  const [good, torn, foreign] = [fresh(), fresh(), fresh()];
  const result = resultOf(good, seven, seven + 1, 'succeeded');
  const leave = async (id: typeof good, text: string) =>
    create((await store.attempts.urls(id, [], soon())).blobs.result, text);
  await leave(good, JSON.stringify(result));
  expect(await store.attempts.result(good)).toEqual(result);
  await leave(torn, '{"version":1,');
  await leave(foreign, '{"version":2}');
  for (const id of [torn, foreign]) {
    await expect(store.attempts.result(id)).rejects.toThrow(UnreadableResult);
    await expect(store.attempts.result(id)).rejects.toThrow(`score/20261120T070000Z/${id.attempt}/result.json is not`);
  }
});

test('a result of any length is read no further than a result may be, and an empty one is none', async () => {
  const [huge, empty] = [fresh(), fresh()];
  const put = async (id: typeof huge, text: string) =>
    create((await store.attempts.urls(id, [], soon())).blobs.result, text);
  await put(huge, `"${'x'.repeat(5 * 1024 * 1024)}"`);
  await put(empty, '');
  await expect(store.attempts.result(huge)).rejects.toThrow(/result.json is longer than 4 MiB/);
  await expect(store.attempts.result(empty)).rejects.toThrow(UnreadableResult);
});

test('an output is read through an address of its own', async () => {
  const id = fresh();
  const { outputs } = await store.attempts.urls(id, ['a b/ü.csv'], soon());
  await create(outputs[0]?.url ?? '', 'x,y');
  expect(await textAt(await store.attempts.outputUrl(id, 'a b/ü.csv', soon()))).toBe('x,y');
  expect(await store.attempts.keep(id, 'a b/ü.csv')).toBe(true);
  expect(await store.attempts.keep(id, 'never.csv')).toBe(false);
});

test('the end of a log is read without the rest, and a log that is missing is none', async () => {
  const id = { job: 'tail', run: '20261120T070000Z', attempt: 1 };
  expect(await store.attempts.logTail(id, 10)).toBeUndefined();
  const { blobs } = await store.attempts.urls(id, [], Date.now() + 60_000);
  await append(blobs.log);
  expect((await store.attempts.logTail(id, 10))?.toString()).toBe('');
  if (inFolders()) await append(blobs.log, 'one\ntwo\nthree\n');
  else await fetch(`${blobs.log}&comp=appendblock`, { method: 'PUT', body: 'one\ntwo\nthree\n' });
  expect((await store.attempts.logTail(id, 6))?.toString()).toBe('three\n');
  expect((await store.attempts.logTail(id, 100))?.toString()).toBe('one\ntwo\nthree\n');
});

test('of two results that are left for one attempt the first stays', async () => {
  const id = { job: 'left', run: '20261120T070000Z', attempt: 1 };
  const run = newRun(id.job, Date.UTC(2026, 10, 20, 7), 'schedule', 0, { attempts: [newAttempt(1, outside, 0)] });
  const report = { name: null, exitCode: null, error: null, log: null, metrics: {} };
  expect(await store.attempts.leave(id, leftBy(run, 'success', report, 1))).toBe(true);
  expect(await store.attempts.leave(id, leftBy(run, 'fail', report, 2))).toBe(false);
  expect((await store.attempts.result(id))?.outcome).toBe('succeeded');
});
