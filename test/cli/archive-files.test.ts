import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { importHistory } from '../../cli/archive/read.ts';
import { exportHistory } from '../../cli/archive/write.ts';
import { opened } from '../../shared/alerts/incident.ts';
import { day, hour } from '../../shared/instant.ts';
import { newJobRow } from '../../shared/run/job-row.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { openEmbedded } from '../../shared/store/embedded/store.ts';
import type { KeptStore } from '../../shared/store/store.ts';
import { bothStores, fileOf } from '../support/cli/history.ts';
import { seven, started } from '../support/pipeline/cast.ts';
import { create, resultOf } from '../support/pipeline/executor.ts';
import { freshFolder } from '../support/storage/account.ts';

/** Files of attempts, on their way into a store that has something of its own there. */

const now = seven + 30 * day;
const all = { jobs: [], since: undefined, now };
async function exported(store: KeptStore): Promise<string> {
  const path = join(freshFolder(), 'history.tar.gz');
  await exportHistory(store, path, all);
  return path;
}

const over: Run = { ...newRun('score', seven, 'schedule', 1), state: 'succeeded', endedAt: seven + hour };
const first = { job: 'score', run: over.id, attempt: 1 };

/** A run that has ended, with its result and an output. */
async function ended(store: KeptStore, run = over): Promise<void> {
  await store.jobs.insert(newJobRow(run.job, seven));
  await store.runs.insert(run);
  const { blobs, outputs } = await store.attempts.urls({ ...first, run: run.id }, ['a.csv'], Date.now() + hour);
  await create(blobs.result, JSON.stringify(resultOf({ ...first, run: run.id }, seven, seven + 1, 'succeeded')));
  await create(outputs[0]?.url ?? '', 'x\n');
}

test.each(
  bothStores,
)('a run of %s that is under way gets no file of the same slot’s run elsewhere', async (_, open) => {
  const [here, there] = [await open(), await open()];
  await ended(here);
  const other = { ...over, id: '20261119T070000Z', slot: seven - day };
  await ended(here, other);
  await there.jobs.insert(newJobRow('score', seven));
  await there.runs.insert(started('score', { id: over.id, slot: seven }));
  const path = await exported(here);
  const came = await importHistory(there, path, 'dana', now);
  expect(came.rows.runs).toMatchObject({ added: 1, kept: 1 });
  expect(came.files).toEqual({ added: 2, there: 0, kept: 2 });
  expect(await there.attempts.result(first)).toBeUndefined();
  expect(await there.attempts.result({ ...first, run: other.id })).toMatchObject({ outcome: 'succeeded' });
  const recent: string[] = [];
  for await (const { run } of there.recent.list()) recent.push(run);
  expect(recent).toEqual([other.id]);
  expect((await importHistory(there, path, 'dana', now)).files).toEqual({ added: 0, there: 2, kept: 2 });
});

test('an import that was broken off between a run and its files brings them the next time', async () => {
  const [here, there] = [openEmbedded(freshFolder()), openEmbedded(freshFolder())];
  await ended(here);
  await there.runs.insert(over);
  const came = await importHistory(there, await exported(here), 'dana', now);
  expect([came.rows.runs?.there, came.files]).toEqual([1, { added: 2, there: 0, kept: 0 }]);
});

test.each(
  bothStores,
)('of two that bring one file to %s at once, one is new and nothing is written over', async (_, open) => {
  const { files } = await open();
  const path = `score/${over.id}/1/outputs/a.csv`;
  const texts = ['one', 'other'];
  const came = await Promise.all(texts.map((text) => files.attempts.create(path, fileOf(text))));
  expect(came.filter(Boolean)).toHaveLength(1);
  const found = await files.attempts.read(path);
  expect(found && (await buffer(found.stream)).toString()).toBe(texts[came.indexOf(true)]);
});

test('an incident goes along once it is over for good: until then it may be open again', async () => {
  const [here, there] = [openEmbedded(freshFolder()), openEmbedded(freshFolder())];
  await here.jobs.insert(newJobRow('score', seven));
  const seen = {
    job: 'score',
    cause: 'failed',

    tier: 'standard',
    run: null,
    text: 'failed',
  } as const;
  const resolved = {
    ...opened({ ...seen, subject: '', since: seven }, seven),
    state: 'resolved' as const,
    resolvedAt: now,
  };
  await here.incidents.insert(resolved);
  expect(await exportHistory(here, join(freshFolder(), 'a.tar.gz'), all)).toMatchObject({ underWay: 1 });
  expect((await importHistory(there, await exported(here), 'dana', now)).rows.incidents).toBeUndefined();
  const later = { ...resolved, count: 2, resolvedAt: now + hour };
  await here.incidents.archive(later);
  expect((await importHistory(there, await exported(here), 'dana', now)).rows.incidents).toMatchObject({ added: 1 });
  for await (const one of there.incidents.past('score'))
    expect(one).toMatchObject({ count: 2, resolvedAt: now + hour });
});
