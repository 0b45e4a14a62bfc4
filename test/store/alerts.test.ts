import { beforeAll, describe, expect, test } from 'vitest';
import { acknowledged, opened } from '../../shared/alerts/incident.ts';
import { hour, minute } from '../../shared/instant.ts';
import type { Incident } from '../../shared/store/incidents.ts';
import type { Letter } from '../../shared/store/outbox.ts';
import type { Store } from '../../shared/store/store.ts';
import { failure } from '../support/alerts/story.ts';
import { seven } from '../support/pipeline/cast.ts';
import { freshAccount, storeOf } from '../support/storage/account.ts';

const store: Store = storeOf(freshAccount());
beforeAll(() => store.prepare());

async function all<T>(things: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const thing of things) found.push(thing);
  return found;
}
const letter = (key: string, more: Partial<Letter> = {}): Letter => ({
  key,
  channel: 'ops',
  to: ['dana@contoso.com'],
  fallbacks: ['mail'],
  message: '{"title":"FAILED score"}',
  reports: ['score.failed.1.1'],
  createdAt: seven,
  notBefore: seven + 1,
  leasedUntil: null,
  tries: 0,
  error: null,
  state: 'waiting',
  doneAt: null,
  ...more,
});

describe('incidents', () => {
  test('come back as they were written, to the millisecond and the last field', async () => {
    const fresh = opened(failure({ job: 'whole', group: 'v1|host|crm.contoso.com', errorKind: 'dns' }), seven + 1);
    const whole = acknowledged(fresh, 'dana', 'I look "after" it 😀', seven + 2) as Incident;
    const written = await store.incidents.insert(whole);
    const found = await store.incidents.get(whole);
    expect(found?.value).toEqual(whole);
    expect(found?.etag).toBe(written?.etag);
    const past = {
      ...whole,
      state: 'resolved',
      resolvedAt: seven + 3,
      batch: '1 x',
      reportedAt: seven + 4,
    } as Incident;
    await store.incidents.archive(past);
    expect(await all(store.incidents.past('whole'))).toEqual([past]);
    expect(await store.incidents.get(whole)).toBeUndefined();
    // Done again after a host died in between.
    await store.incidents.archive(past);
    expect(await all(store.incidents.past('whole'))).toHaveLength(1);
  });

  test('are one per job, cause and subject, whatever the subject is called', async () => {
    const subject = 'reports/Größe #1?.csv';
    const one = opened(failure({ job: 'odd', cause: 'output', subject }), seven);
    expect(await store.incidents.insert(one)).toBeDefined();
    expect(await store.incidents.insert({ ...one, id: 'another', text: 'x' })).toBeUndefined();
    expect(
      await store.incidents.insert(opened(failure({ job: 'odd', cause: 'output', subject: 'b.csv' }), seven)),
    ).toBeDefined();
    expect((await store.incidents.get(one))?.value.subject).toBe(subject);
    const service = opened(failure({ job: null, cause: 'channel', subject: 'ops' }), seven);
    expect(await store.incidents.insert(service)).toBeDefined();
    expect((await all(store.incidents.openOf('odd'))).map(({ value }) => value.subject)).toEqual(['b.csv', subject]);
    expect((await all(store.incidents.openOf(null))).map(({ value }) => value.job)).toEqual([null]);
    const known = (await all(store.incidents.open())).map(({ value }) => value.job);
    expect(known).toEqual(expect.arrayContaining(['odd', null]));
  });

  test('a job whose name begins like another has its own', async () => {
    for (const job of ['pre', 'pre-2']) await store.incidents.insert(opened(failure({ job }), seven));
    expect((await all(store.incidents.openOf('pre'))).map(({ value }) => value.job)).toEqual(['pre']);
  });

  test('an older version cannot overwrite a newer one, and a text of a megabyte is cut', async () => {
    const written = await store.incidents.insert(opened(failure({ job: 'race', text: 'x'.repeat(1_048_576) }), seven));
    if (!written) throw new Error('the incident was not written');
    expect(await store.incidents.replace({ ...written.value, count: 2 }, written.etag)).toBeDefined();
    expect(await store.incidents.replace({ ...written.value, count: 3 }, written.etag)).toBeUndefined();
    expect((await store.incidents.get(written.value))?.value).toMatchObject({ count: 2 });
  });
});

describe('the outbox', () => {
  test('has a letter once by its key, waiting or done, the one that puts it', async () => {
    const first = letter('a.1.ops');
    expect(await store.outbox.put(first)).toEqual(first);
    expect(await store.outbox.put({ ...first, reports: ['other'] })).toEqual(first);
    const [found] = await all(store.outbox.waiting());
    expect(found?.value).toEqual(first);
    const sent = { ...first, state: 'accepted' as const, doneAt: seven + minute, tries: 1 };
    await store.outbox.close(sent);
    expect(await all(store.outbox.waiting())).toEqual([]);
    expect(await store.outbox.put(first)).toEqual(sent);
    expect(await all(store.outbox.waiting())).toEqual([]);
    await store.outbox.forget(['a.1.ops']);
    expect(await all(store.outbox.done())).toEqual([]);
  });

  test('gives a letter to one sender', async () => {
    await store.outbox.put(letter('b.1.ops'));
    const [found] = await all(store.outbox.waiting());
    if (!found) throw new Error('no letter waits');
    const take = () => store.outbox.replace({ ...found.value, leasedUntil: seven + hour }, found.etag);
    const taken = await Promise.all([
      take(),
      store.outbox.replace({ ...found.value, leasedUntil: seven + 1 }, found.etag),
    ]);
    expect(taken.filter((one) => one !== undefined)).toHaveLength(1);
  });
});

test('a silence comes back as it was written, and is gone once removed', async () => {
  const silence = {
    id: 's1',
    scope: { kind: 'tag', name: 'department:Größe' } as const,
    from: seven,
    until: seven + hour,
    by: 'dana',
    why: '',
  };
  await store.silences.add(silence);
  expect(await store.silences.current()).toEqual([silence]);
  await store.silences.remove('s1');
  expect(await store.silences.current()).toEqual([]);
});

test('a link is used once, also by two at a time, and forgotten after its date', async () => {
  const used = await Promise.all([1, 2, 3].map(() => store.usedLinks.use('abc', seven)));
  expect(used.filter(Boolean)).toHaveLength(1);
  expect(await store.usedLinks.use('abc', seven)).toBe(false);
  await store.usedLinks.forget(seven + 1);
  expect(await store.usedLinks.use('abc', seven)).toBe(true);
});
