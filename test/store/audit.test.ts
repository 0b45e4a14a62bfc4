import { beforeAll, describe, expect, test } from 'vitest';
import { verifyAudit } from '../../shared/actions/verify-audit.ts';
import { openAccount, usualLimits } from '../../shared/clients/storage.ts';
import { day } from '../../shared/instant.ts';
import { type AuditEntry, chained, digestOf, headText, readHead } from '../../shared/run/audit-chain.ts';
import { audit, broughtCodec, placedCodec } from '../../shared/store/audit.ts';
import { azureTable as table } from '../../shared/store/azure/table.ts';
import { eventCodec } from '../../shared/store/events.ts';
import { seven } from '../support/pipeline/cast.ts';
import { freshAccount, storeOf } from '../support/storage/account.ts';
import { filledAudit, later, openAudit, pause } from '../support/storage/audit.ts';
import { memoryTable } from '../support/storage/memory-table.ts';

describe('a chain that no one has touched', () => {
  test('holds, day by day, and names the head of each', async () => {
    const { verify, entry } = await filledAudit();
    const report = await verify();
    expect(report).toMatchObject({ entries: 9, broken: [], unlisted: 0, older: 0 });
    expect(report.heads.map(({ day: one, number }) => [one, number])).toEqual([
      ['2026-11-20', 3],
      ['2026-11-21', 6],
      ['2026-11-22', 9],
    ]);
    const [, second] = report.heads;
    expect(second && readHead(headText(second))).toEqual(second);
    expect(second?.digest).toBe((await entry(6)).digest);
    expect(await verify({ from: '2026-11-21', to: '2026-11-21' })).toMatchObject({ entries: 3, broken: [] });
    expect(await verify({ from: '2027-01-01' })).toMatchObject({ entries: 0, broken: [] });
    expect(await openAudit().verify()).toMatchObject({ entries: 0, heads: [], broken: [] });
  });

  test('is written down in one way: a digest that another program can compute', () => {
    const details = { run: '20261120T070000Z', bundle: 'ü"\u0000' };
    const entry = chained(
      { ...pause(seven), id: 'x', details },
      { number: 41, day: '2026-11-19', digest: 'f'.repeat(64) },
    );
    expect(entry.text).toBe(
      '{"job":"score","at":1795158000000,"id":"x","kind":"paused","by":"dana@contoso.com","why":"the CRM moves",' +
        '"details":{"bundle":"ü\\"\\u0000","run":"20261120T070000Z"}}',
    );
    expect(entry.digest).toBe(digestOf({ ...entry }));
    expect(entry).toMatchObject({ number: 42, day: '2026-11-20' });
  });

  test('takes a late event into the day that has begun: a day that is over grows no more', async () => {
    const here = await filledAudit();
    await here.store.events.append(pause(seven + 1, { why: 'late' }));
    const report = await here.verify();
    expect(report.heads.map(({ number }) => number)).toEqual([3, 6, 10]);
    for (const one of ['2026-11-20', '2026-11-22']) {
      expect((await here.verify({ from: one, to: one })).broken).toEqual([]);
    }
  });

  test('keeps the same request once', async () => {
    const here = openAudit();
    for (let times = 0; times < 3; times++) await here.store.events.append(pause(seven, { id: 'same' }));
    expect(await here.verify()).toMatchObject({ entries: 1, broken: [] });
  });
});

describe('what was done behind our back', () => {
  type Here = Awaited<ReturnType<typeof filledAudit>>;
  const rewritten = (one: AuditEntry, text: string) => ({ ...one, text });
  const sealedAgain = (one: AuditEntry) => ({ ...one, digest: digestOf(one) });
  const listed = async ({ list }: Here, name: string) => {
    for await (const { value, etag } of list.list(name)) return { value, etag };
    throw new Error('nothing is listed');
  };

  const cases: [string, (here: Here) => Promise<unknown>, object][] = [
    [
      'an entry whose text was changed',
      async (here) => here.put(4, rewritten(await here.entry(4), (await here.entry(4)).text.replace('dana', 'evil'))),
      { kind: 'changed', entry: 4, day: '2026-11-21' },
    ],
    [
      'an entry that was changed and digested anew',
      async (here) =>
        here.put(4, sealedAgain(rewritten(await here.entry(4), (await here.entry(4)).text.replace('dana', 'evil')))),
      { kind: 'changed', entry: 4, text: 'it is not the entry that 5 was chained to' },
    ],
    ['an entry in the middle that was removed', (here) => here.remove(5), { kind: 'removed', entry: 5 }],
    ['the first entry that was removed', (here) => here.remove(1), { kind: 'removed', entry: 1 }],
    ['the last entry that was removed', (here) => here.remove(9), { kind: 'removed', entry: 9 }],
    [
      'several that were removed',
      async (here) => {
        for (const number of [3, 4, 5, 8]) await here.remove(number);
      },
      { kind: 'removed', entry: 3, text: 'entries 3 to 5 are not there' },
    ],
    [
      'two entries that changed places',
      async (here) => {
        const [two, three] = [await here.entry(2), await here.entry(3)];
        await here.chain.remove('chain', String(999_999_999_999 - 2));
        // As they were, each under the key of the other.
        const swap = memorySwap(here);
        await swap(2, three);
        await swap(3, two);
      },
      { kind: 'reordered', entry: 2, text: 'it holds entry 3' },
    ],
    [
      'an entry that was put in between, with all after it written anew',
      async (here) => {
        const entries = [];
        for (let number = 5; number <= 9; number++) entries.push(await here.entry(number));
        const foreign = { ...pause(seven + day, { why: 'never happened' }), id: 'foreign' };
        let before = await here.entry(4);
        for (const event of [foreign, ...entries.map((one) => one.event)]) {
          const next = chained(event, before);
          await here.put(next.number, next);
          before = next;
        }
      },
      // What the lists name as 5 is 6 now.
      { kind: 'reordered', entry: 5 },
    ],
    [
      'an event in the list of a job that no entry has',
      (here) => here.list.putAll([{ event: { ...pause(seven + day), id: 'foreign' }, entry: null }]),
      { kind: 'inserted', entry: null, day: '2026-11-21' },
    ],
    [
      'an event in a list that says something else than its entry',
      async (here) => {
        const { value, etag } = await listed(here, 'score');
        await here.list.replace({ ...value, event: { ...value.event, by: 'evil' } }, etag);
      },
      { kind: 'changed', entry: 9 },
    ],
    [
      'an event that was removed from a list',
      async (here) => here.list.remove('score', eventCodec.keys((await listed(here, 'score')).value).rowKey),
      { kind: 'removed', entry: 9, text: 'it is gone from the list of score; the chain still has it' },
    ],
  ];

  test.each(cases)('%s is the first broken link', async (_, tamper, expected) => {
    const here = await filledAudit();
    await tamper(here);
    expect((await here.verify()).broken[0]).toMatchObject(expected);
  });

  test('a chain that was written anew as a whole is seen by a head that was kept elsewhere', async () => {
    const here = await filledAudit();
    const kept = (await here.verify()).heads;
    let before = { number: 0, day: '', digest: '0'.repeat(64) };
    for (let number = 1; number <= 9; number++) {
      const { event } = await here.entry(number);
      const changed = number === 2 ? { ...event, by: 'evil' } : event;
      const next = chained(changed, before);
      await here.put(number, next);
      await here.list.putAll([{ event: changed, entry: number }]);
      before = next;
    }
    expect((await here.verify()).broken).toEqual([]);
    expect((await here.verify({ kept })).broken[0]).toMatchObject({ kind: 'changed', entry: 3, day: '2026-11-20' });
    await here.remove(9);
    expect((await here.verify({ kept: kept.slice(-1) })).broken).toContainEqual(
      expect.objectContaining({ kind: 'removed', entry: 9 }),
    );
  });

  function memorySwap({ chain }: Here) {
    const codec = placedCodec.keys;
    return async (at: number, entry: AuditEntry) => {
      const { encode } = placedCodec;
      // The row as it was, under another key.
      placedCodec.keys = () => ({ partitionKey: 'chain', rowKey: String(999_999_999_999 - at) });
      try {
        await chain.putAll([{ at, entry }]);
      } finally {
        Object.assign(placedCodec, { keys: codec, encode });
      }
    };
  }
});

describe('hosts that write at once', () => {
  let account: string;
  beforeAll(async () => {
    account = freshAccount();
    await storeOf(account).prepare();
  });

  test('neither fork the chain nor lose an entry', async () => {
    const hosts = [storeOf(account), storeOf(account), storeOf(account)];
    await Promise.all(
      Array.from({ length: 30 }, (_, number) =>
        hosts[number % 3]?.events.append(pause(seven + number, { by: `host ${number % 3}` })),
      ),
    );
    const report = await verifyAudit({ store: storeOf(account) }, {}, later);
    expect(report).toMatchObject({ entries: 30, broken: [], unlisted: 0 });
    const found: string[] = [];
    for await (const { by } of storeOf(account).events.list('score')) found.push(by);
    expect(found).toHaveLength(30);
  });

  test('an insert whose answer gets lost is one entry: the SDK sends it again, and meets what it wrote itself', async () => {
    const { table: open } = openAccount({ connection: account }, usualLimits);
    const client = open('audit');
    const create = client.createEntity.bind(client);
    client.createEntity = async (...given: Parameters<typeof create>) => {
      await create(...given);
      return create(...given);
    };
    const own = audit(table(client, placedCodec), memoryTable(broughtCodec));
    const before = (await own.head())?.number ?? 0;
    const event = { ...pause(seven + day), id: 'once' };
    expect((await own.append(event)).number).toBe(before + 1);
    expect(await own.head()).toMatchObject({ number: before + 1, event });
  });
});
