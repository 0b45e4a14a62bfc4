import { beforeEach, describe, expect, test } from 'vitest';
import { apiDocument } from '../../shared/api/v1.ts';
import { day, hour, iso, minute } from '../../shared/instant.ts';
import { Acted, admin } from '../support/api/acted.ts';
import { seven } from '../support/pipeline/cast.ts';

/** What acts is done once for each idempotency key. */

let acted: Acted;
beforeEach(async () => {
  acted = await Acted.create();
});

interface Act {
  path: () => string | Promise<string>;
  body: Record<string, unknown>;
  /** What the first answer says. */
  says: Record<string, unknown>;
  /** What is done before. */
  before?: [path: string, body: unknown];
  /** What the next one says when the first was lost, where that differs: it finds done what it asks for. */
  lost?: { status: number; body?: Record<string, unknown> };
  /** Entries of the audit. */
  entries?: number;
}

const range = { from: iso(seven - 5 * hour), to: iso(seven - 3 * hour) };
const acts: Record<string, Act> = {
  'POST /jobs/{job}/runs': { path: () => '/jobs/score/runs', body: { args: ['-x'] }, says: { job: 'score' } },
  'POST /jobs/{job}/runs/{run}/rerun': {
    path: async () => `/jobs/score/runs/${await acted.past('score')}/rerun`,
    body: {},
    says: { trigger: 'rerun' },
  },
  'POST /jobs/{job}/runs/{run}/cancel': {
    path: async () => `/jobs/long/runs/${(await acted.world.rows('long'))[0]?.id}/cancel`,
    body: {},
    says: { state: 'cancelled', cancelled: { by: admin.name } },
    before: ['/jobs/long/runs', {}],
  },
  'POST /jobs/{job}/pause': { path: () => '/jobs/score/pause', body: {}, says: { changed: true } },
  'POST /jobs/{job}/resume': {
    path: () => '/jobs/score/resume',
    body: { catchUp: false },
    says: { changed: true },
    before: ['/jobs/score/pause', {}],
    lost: { status: 200, body: { changed: false } },
  },
  'POST /jobs/{job}/backfill': {
    path: () => '/jobs/score/backfill',
    body: range,
    says: { done: 0 },
    lost: { status: 200, body: { done: 3 } },
  },
  'POST /jobs/{job}/backfill/cancel': {
    path: () => '/jobs/score/backfill/cancel',
    body: {},
    says: { cancelled: [2, 3, 4].map((hour) => `score.20261120T0${hour}0000Z.b`) },
    before: ['/jobs/score/backfill', range],
    entries: 3,
    lost: { status: 200, body: { cancelled: [] } },
  },
  'POST /jobs/{job}/findings/{finding}/snooze': {
    path: () => `/jobs/score/findings/${acted.finding}/snooze`,
    body: { until: iso(seven + 2 * day) },
    says: { snoozedUntil: iso(seven + 2 * day) },
  },
  'POST /jobs/{job}/findings/{finding}/answer': {
    path: () => `/jobs/score/findings/${acted.finding}/answer`,
    body: { answer: 'real' },
    says: { state: 'real' },
  },
  'POST /jobs/{job}/baseline/pin': {
    path: () => '/jobs/score/baseline/pin',
    body: { since: iso(seven - 3 * day) },
    says: { metrics: expect.arrayContaining(['mean']) },
  },
  'POST /jobs/{job}/baseline/reset': {
    path: () => '/jobs/score/baseline/reset',
    body: { metric: 'mean' },
    says: { metrics: ['mean'] },
    lost: { status: 404 },
  },
  'POST /jobs/{job}/replays': {
    path: () => '/jobs/golden/replays',
    body: { why: 'a new model' },
    says: { run: expect.stringMatching(/^golden\..*\.g$/), after: null },
  },
  'POST /incidents/{incident}/acknowledge': {
    path: async () => `/incidents/${await acted.incident()}/acknowledge`,
    body: {},
    says: { state: 'acknowledged' },
  },
  'POST /incidents/{incident}/resolve': {
    path: async () => `/incidents/${await acted.incident()}/resolve`,
    body: {},
    says: { state: 'resolved' },
  },
  'POST /silences': {
    path: () => '/silences',
    body: { scope: { kind: 'job', name: 'sick' }, until: iso(seven + day), why: 'moving' },
    says: { by: admin.name },
  },
  'POST /silences/{silence}/end': { path: () => '/silences/abc123/end', body: {}, says: { id: 'abc123' } },
  'POST /alerts/test': {
    path: () => '/alerts/test',
    body: { channel: 'ops' },
    says: { items: [expect.objectContaining({ channel: 'ops', error: null })] },
    entries: 0,
  },
  'POST /clock/confirm': { path: () => '/clock/confirm', body: {}, says: { wrong: null } },
  'POST /owner-left': {
    path: () => '/owner-left',
    body: { email: 'dana@contoso.com' },
    says: { already: [] },
    entries: 4,
    lost: { status: 200, body: { opened: [] } },
  },
};

test('every route that acts takes a key, and is below', () => {
  const { paths = {} } = apiDocument(acted.app);
  const posts = Object.entries(paths).flatMap(([path, item]) => (item?.post ? [`POST ${path}`] : []));
  expect(Object.keys(acts).sort()).toEqual(posts.sort());
  for (const [path, item] of Object.entries(paths)) {
    const named = (item?.post?.parameters ?? []).map((one) => ('name' in one ? one.name : ''));
    if (item?.post) expect([path, named]).toEqual([path, expect.arrayContaining(['idempotency-key'])]);
  }
});

test.each(Object.entries(acts))('%s: the same key again does nothing and gets the same answer', async (_, act) => {
  if (act.before) await acted.post(...act.before);
  const path = await act.path();
  const before = await acted.audit();
  const first = await acted.post(path, act.body, { 'idempotency-key': 'one' });
  expect(first).toMatchObject({ status: 200, body: act.says });
  const entries = (await acted.audit()) - before;
  expect(entries).toBe(act.entries ?? 1);
  const sent = acted.box.arrived.length;
  acted.world.now += minute;
  const again = await acted.post(path, act.body, { 'idempotency-key': 'one' });
  expect(again).toEqual(first);
  expect(await acted.audit()).toBe(before + entries);
  expect(acted.box.arrived).toHaveLength(sent);
  const other = await acted.post(path, { ...act.body, why: 'another' }, { 'idempotency-key': 'one' });
  // A test of a channel has no reason to give.
  if (other.status !== 400) {
    expect([other.status, other.body.type]).toEqual([409, 'urn:lamplighter:key-reused']);
  }
  expect(await acted.audit()).toBe(before + entries);
});

test.each(
  Object.entries(acts),
)('%s: the same key again, after the first answer was lost before it was kept, finds it done and does nothing again', async (_, act) => {
  if (act.before) await acted.post(...act.before);
  const path = await act.path();
  const before = await acted.audit();
  const { requests } = acted.world.store;
  const dead = { ...requests, keep: () => Promise.reject(new Error('the host died')) };
  acted.open({ store: { ...acted.world.store, requests: dead } });
  // A run is found again by its id: its answer is not kept.
  expect([200, 503]).toContain((await acted.post(path, act.body, { 'idempotency-key': 'one' })).status);
  acted.open();
  acted.world.now += minute;
  const again = await acted.post(path, act.body, { 'idempotency-key': 'one' });
  expect(again).toMatchObject(act.lost ?? { status: 200, body: act.says });
  expect(await acted.audit()).toBe(before + (act.entries ?? 1));
});

describe('an idempotency key', () => {
  const order = { scope: { kind: 'job', name: 'sick' }, until: iso(seven + day), why: 'moving' };
  const ids = async () => (await acted.ask('GET', '/silences')).body.items.map(({ id }: { id: string }) => id).sort();

  test('makes one silence of a request whose answer was never kept, as its host died', async () => {
    const { requests } = acted.world.store;
    const dead = { ...requests, keep: () => Promise.reject(new Error('the host died')) };
    acted.open({ store: { ...acted.world.store, requests: dead } });
    const before = await acted.audit();
    expect((await acted.post('/silences', order, { 'idempotency-key': 'one' })).status).toBe(503);
    acted.open();
    acted.world.now += minute;
    const again = await acted.post('/silences', order, { 'idempotency-key': 'one' });
    expect(again).toMatchObject({ status: 200, body: { from: iso(acted.world.now - minute) } });
    expect(await ids()).toEqual(['abc123', again.body.id].sort());
    expect(await acted.audit()).toBe(before + 1);
  });

  test.each([
    ['a pause', () => '/jobs/score/pause', { job: 'score', paused: true, changed: true }],
    ['an acknowledgement', async () => `/incidents/${await acted.incident()}/acknowledge`, { state: 'acknowledged' }],
    ['the end of a silence', () => '/silences/abc123/end', { id: 'abc123' }],
  ])('is acted on once for two requests at once, with one answer and one entry of the audit: %s', async (_, path, says) => {
    const to = await path();
    const before = await acted.audit();
    const send = () => acted.post(to, {}, { 'idempotency-key': 'one' });
    const [one, two] = await Promise.all([send(), send()]);
    expect(one).toMatchObject({ status: 200, body: says });
    expect(two).toEqual(one);
    expect(await acted.audit()).toBe(before + 1);
  });

  test('goes with If-Match: what the first request changed itself has not changed meanwhile', async () => {
    const to = `/incidents/${await acted.incident()}`;
    const { etag } = await acted.ask('GET', to);
    const { requests } = acted.world.store;
    acted.open({
      store: {
        ...acted.world.store,
        requests: { ...requests, keep: () => Promise.reject(new Error('the host died')) },
      },
    });
    const send = () => acted.post(`${to}/acknowledge`, {}, { 'idempotency-key': 'one', 'if-match': etag ?? '' });
    expect((await send()).status).toBe(503);
    acted.open();
    expect(await send()).toMatchObject({ status: 200, body: { state: 'acknowledged' } });
  });

  test('is free again after a day, and what was kept is removed', async () => {
    await acted.post('/silences', order, { 'idempotency-key': 'one' });
    acted.world.now += 23 * hour;
    await acted.world.store.requests.forget(acted.world.now);
    const later = { ...order, until: iso(acted.world.now + day) };
    expect((await acted.post('/silences', later, { 'idempotency-key': 'one' })).status).toBe(409);
    acted.world.now += hour;
    await acted.world.store.requests.forget(acted.world.now);
    expect((await acted.post('/silences', later, { 'idempotency-key': 'one' })).status).toBe(200);
  });

  test('keeps no refusal: what is allowed later is done then', async () => {
    const resume = () => acted.post('/jobs/golden/replays', {}, { 'idempotency-key': 'one' });
    await acted.post('/jobs/golden/pause', {});
    expect((await resume()).status).toBe(409);
    await acted.post('/jobs/golden/resume', {});
    expect((await resume()).status).toBe(200);
  });

  test('of a backfill of a thousand runs names all of them again', async () => {
    const year = { from: iso(seven - 990 * hour), to: iso(seven - hour), why: 'a year of lists' };
    const first = await acted.post('/jobs/score/backfill', year, { 'idempotency-key': 'one' });
    expect(first.body.runs).toHaveLength(990);
    expect(await acted.post('/jobs/score/backfill', year, { 'idempotency-key': 'one' })).toEqual(first);
  });
});
