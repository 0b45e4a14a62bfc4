import { expect, test } from 'vitest';
import { acknowledge, silence } from '../../shared/actions/incidents.ts';
import { day, hour, type Instant, minute } from '../../shared/instant.ts';
import type { JobEvent } from '../../shared/run/job-event.ts';
import { eventCodec, events } from '../../shared/store/events.ts';
import { keepAudit } from '../../shared/upkeep/audit.ts';
import { job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';
import { filledAudit, later, openAudit, pause } from '../support/storage/audit.ts';

test('a host that dies between chain and list leaves an entry that upkeep lists, and reports', async () => {
  const here = await filledAudit();
  const dead = events({ ...here.list, insert: async () => Promise.reject(new Error('died')) }, here.store.audit);
  const at = seven + 3 * day;
  await expect(dead.append(pause(at))).rejects.toThrow('died');
  expect(await here.verify({}, at + minute)).toMatchObject({ entries: 10, unlisted: 1, broken: [] });
  const said: { type: string }[] = [];
  const keep = (now: Instant) =>
    keepAudit({ store: here.store, emit: (event) => said.push(event), person: 'host' }, now);
  await keep(at + minute);
  expect(said.map(({ type }) => type)).toEqual(['audit-head', 'trouble']);
  expect(await here.verify()).toMatchObject({ entries: 10, unlisted: 0, broken: [] });
  said.length = 0;
  await keep(at + day);
  expect(said.map(({ type }) => type)).toEqual(['audit-head']);
});

test('what is listed is looked at again without a write, and once a day as far back as four days', async () => {
  const here = await filledAudit();
  const at = seven + 3 * day;
  const { store } = here;
  const relisted: string[] = [];
  const events = {
    ...store.events,
    relist: async (...given: Parameters<typeof store.events.relist>) => {
      relisted.push(given[0].why);
      return store.events.relist(...given);
    },
  };
  const keep = (now: Instant) => keepAudit({ store: { ...store, events }, emit: () => {}, person: 'host' }, now);
  await keep(at);
  expect(relisted).toEqual([]);
  for (const number of [1, 9]) await remove((await here.entry(number)).event);
  await store.events.append(pause(at, { why: 'new' }));
  await keep(at + hour);
  expect(relisted).toEqual([]);
  await keep(at + 21 * hour);
  expect(relisted).toEqual(['reason 9', 'reason 1']);
  expect(await here.verify({}, later)).toMatchObject({ broken: [], unlisted: 0 });

  async function remove(event: JobEvent & { id: string }) {
    await here.list.remove(event.job, eventCodec.keys({ event, entry: null }).rowKey);
  }
});

test('events from before the chain are counted, and are no fault', async () => {
  const here = openAudit();
  await here.list.putAll([{ event: { ...pause(seven - day), id: 'old' }, entry: null }]);
  await here.store.events.append(pause(seven));
  expect(await here.verify()).toMatchObject({ entries: 1, older: 1, broken: [] });
});

test('no incident is changed and no message kept back when the audit cannot be written', async () => {
  const world = await World.inMemory(job('score', {}));
  const asked = { by: 'dana', why: '' };
  const away = { ...world.store.events, append: () => Promise.reject(new Error('the store is unavailable')) };
  const host = world.host({ store: { ...world.store, events: away } });
  const span = { from: seven, to: seven + day, until: seven + day };
  await expect(silence(host, { kind: 'all' }, span, asked, seven)).rejects.toThrow('unavailable');
  expect(await world.store.silences.current()).toEqual([]);
  const about = { job: 'score', cause: 'failed', subject: '', id: 'score.failed.1' } as const;
  expect(await acknowledge(host, about, asked, seven)).toBeUndefined();
});

test('a run by its schedule costs the audit nothing', async () => {
  const world = await World.inMemory(job('score', {}));
  const before = (await world.store.audit.head())?.number;
  await world.pass(seven + 10 * minute);
  expect((await world.store.audit.head())?.number).toBe(before);
});
