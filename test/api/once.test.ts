import { beforeEach, describe, expect, test } from 'vitest';
import { serviceName } from '../../shared/actions/incidents.ts';
import type { Caller } from '../../shared/api/caller.ts';
import { apiDocument, v1 } from '../../shared/api/v1.ts';
import { opened } from '../../shared/drift/finding.ts';
import { newState } from '../../shared/drift/state.ts';
import { day, hour, iso, minute } from '../../shared/instant.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { Mailbox } from '../support/alerts/world.ts';
import { packed } from '../support/drift/replays.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

/** What acts is done once for each idempotency key, and only on the version that was read where the caller says which. */

const operator: Caller = { name: 'lee@contoso.com', roles: ['admin'], departments: null };
const found = String(seven - day);

let world: World;
let box: Mailbox;
let ask: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
interface Answer {
  status: number;
  etag: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects
  body: any;
}

/** A service with one of everything that can be acted on. */
beforeEach(async () => {
  const jobs = [job('score', { schedule: hourly }), job('sick', { schedule: hourly }), job('long', {})];
  world = await World.inMemory(...jobs);
  const golden = await packed('golden');
  world.jobs.set('golden', golden);
  world.platform.behave = ({ job: name }) => (name === 'sick' ? 'fail' : name === 'long' ? 'run' : 'succeed');
  await world.pass(seven + 2 * minute);
  const numbers = { metric: 'mean', kind: 'shift_up', share: false, before: 10, low: 9, high: 12, after: 20 } as const;
  const moved = { since: seven - 4 * day, found: seven - day, kind: 'shift_up' } as const;
  const points = [10, 11, 10, 11, 20, 21].map((value, at) => ({ slot: seven - (6 - at) * day, value }));
  await world.store.drift.putStates([{ ...newState('score', 'mean', 10), points, drifted: moved }]);
  const finding = opened('score', { ...moved, metric: 'mean', oneIn: 900, numbers });
  await world.store.drift.putFinding({ ...finding, id: found, sentence: 'It moved.' });
  const silence = { from: world.now, until: seven + day, by: 'dana', why: '' };
  await world.store.silences.add({ ...silence, id: 'abc123', scope: { kind: 'job', name: 'score' } });
  box = new Mailbox(() => world.now);
  open();
});

function open(parts = world.host({ alerts: box.alerts })) {
  const app = v1({ parts, clock: () => world.now }, async () => operator);
  ask = async (method, path, body, headers = {}) => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await app.request(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...sent,
    });
    return { status: answer.status, etag: answer.headers.get('etag'), body: await answer.json() };
  };
  return app;
}

const incident = async () => {
  for await (const { value } of world.store.incidents.open()) if (value.job === 'sick') return value.id;
  throw new Error('expected an incident of sick');
};
const past = async (name: string) => (await world.rows(name)).findLast(({ endedAt }) => endedAt !== null)?.id ?? '';

async function audit(): Promise<number> {
  let count = 0;
  for (const name of [...world.jobs.keys(), serviceName]) for await (const _ of world.store.events.list(name)) count++;
  return count;
}

interface Act {
  path: () => string | Promise<string>;
  body: Record<string, unknown>;
  /** What the first answer says. */
  says: Record<string, unknown>;
  /** What is done before. */
  before?: [path: string, body: unknown];
  /** Entries of the audit. */
  entries?: number;
}

const range = { from: iso(seven - 5 * hour), to: iso(seven - 3 * hour) };
const acts: Record<string, Act> = {
  'POST /jobs/{job}/runs': { path: () => '/jobs/score/runs', body: { args: ['-x'] }, says: { job: 'score' } },
  'POST /jobs/{job}/runs/{run}/rerun': {
    path: async () => `/jobs/score/runs/${await past('score')}/rerun`,
    body: {},
    says: { trigger: 'rerun' },
  },
  'POST /jobs/{job}/runs/{run}/cancel': {
    path: async () => `/jobs/long/runs/${(await world.rows('long'))[0]?.id}/cancel`,
    body: {},
    says: { state: 'cancelled', cancelled: { by: operator.name } },
    before: ['/jobs/long/runs', {}],
  },
  'POST /jobs/{job}/pause': { path: () => '/jobs/score/pause', body: {}, says: { changed: true } },
  'POST /jobs/{job}/resume': {
    path: () => '/jobs/score/resume',
    body: { catchUp: false },
    says: { changed: true },
    before: ['/jobs/score/pause', {}],
  },
  'POST /jobs/{job}/backfill': { path: () => '/jobs/score/backfill', body: range, says: { done: 0 } },
  'POST /jobs/{job}/backfill/cancel': {
    path: () => '/jobs/score/backfill/cancel',
    body: {},
    says: { cancelled: [2, 3, 4].map((hour) => `score.20261120T0${hour}0000Z.b`) },
    before: ['/jobs/score/backfill', range],
    entries: 3,
  },
  'POST /jobs/{job}/findings/{finding}/snooze': {
    path: () => `/jobs/score/findings/${found}/snooze`,
    body: { until: iso(seven + 2 * day) },
    says: { snoozedUntil: iso(seven + 2 * day) },
  },
  'POST /jobs/{job}/findings/{finding}/answer': {
    path: () => `/jobs/score/findings/${found}/answer`,
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
  },
  'POST /jobs/{job}/replays': {
    path: () => '/jobs/golden/replays',
    body: { why: 'a new model' },
    says: { run: expect.stringMatching(/^golden\..*\.g$/), after: null },
  },
  'POST /incidents/{incident}/acknowledge': {
    path: async () => `/incidents/${await incident()}/acknowledge`,
    body: {},
    says: { state: 'acknowledged' },
  },
  'POST /incidents/{incident}/resolve': {
    path: async () => `/incidents/${await incident()}/resolve`,
    body: {},
    says: { state: 'resolved' },
  },
  'POST /silences': {
    path: () => '/silences',
    body: { scope: { kind: 'job', name: 'sick' }, until: iso(seven + day), why: 'moving' },
    says: { by: operator.name },
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
  },
};

test('every route that acts takes a key, and is below', () => {
  const { paths = {} } = apiDocument(open());
  const posts = Object.entries(paths).flatMap(([path, item]) => (item?.post ? [`POST ${path}`] : []));
  expect(Object.keys(acts).sort()).toEqual(posts.sort());
  for (const [path, item] of Object.entries(paths)) {
    const named = (item?.post?.parameters ?? []).map((one) => ('name' in one ? one.name : ''));
    if (item?.post) expect([path, named]).toEqual([path, expect.arrayContaining(['idempotency-key'])]);
  }
});

test.each(Object.entries(acts))('%s: the same key again does nothing and gets the same answer', async (_, act) => {
  if (act.before) await ask('POST', ...act.before);
  const path = await act.path();
  const before = await audit();
  const first = await ask('POST', path, act.body, { 'idempotency-key': 'one' });
  expect(first).toMatchObject({ status: 200, body: act.says });
  const entries = (await audit()) - before;
  expect(entries).toBe(act.entries ?? 1);
  const sent = box.arrived.length;
  world.now += minute;
  const again = await ask('POST', path, act.body, { 'idempotency-key': 'one' });
  expect(again).toEqual(first);
  expect(await audit()).toBe(before + entries);
  expect(box.arrived).toHaveLength(sent);
  const other = await ask('POST', path, { ...act.body, why: 'another' }, { 'idempotency-key': 'one' });
  // A test of a channel has no reason to give.
  if (other.status !== 400) {
    expect([other.status, other.body.type]).toEqual([409, 'urn:lamplighter:key-reused']);
  }
  expect(await audit()).toBe(before + entries);
});

describe('an idempotency key', () => {
  const order = { scope: { kind: 'job', name: 'sick' }, until: iso(seven + day), why: 'moving' };
  const ids = async () => (await ask('GET', '/silences')).body.items.map(({ id }: { id: string }) => id).sort();

  test('makes one silence of a request whose answer was never kept, as its host died', async () => {
    const { requests } = world.store;
    const dead = { ...requests, keep: () => Promise.reject(new Error('the host died')) };
    open(world.host({ store: { ...world.store, requests: dead } }));
    const before = await audit();
    expect((await ask('POST', '/silences', order, { 'idempotency-key': 'one' })).status).toBe(503);
    open();
    world.now += minute;
    const again = await ask('POST', '/silences', order, { 'idempotency-key': 'one' });
    expect(again).toMatchObject({ status: 200, body: { from: iso(world.now - minute) } });
    expect(await ids()).toEqual(['abc123', again.body.id].sort());
    expect(await audit()).toBe(before + 1);
  });

  test('gets one answer for two requests at once', async () => {
    const send = () => ask('POST', '/jobs/score/pause', {}, { 'idempotency-key': 'one' });
    const [one, two] = await Promise.all([send(), send()]);
    expect(one?.body).toEqual({ job: 'score', paused: true, changed: true });
    expect(two).toEqual(one);
  });

  test('is free again after a day, and what was kept is removed', async () => {
    await ask('POST', '/silences', order, { 'idempotency-key': 'one' });
    world.now += 23 * hour;
    await world.store.requests.forget(world.now);
    const later = { ...order, until: iso(world.now + day) };
    expect((await ask('POST', '/silences', later, { 'idempotency-key': 'one' })).status).toBe(409);
    world.now += hour;
    await world.store.requests.forget(world.now);
    expect((await ask('POST', '/silences', later, { 'idempotency-key': 'one' })).status).toBe(200);
  });

  test('keeps no refusal: what is allowed later is done then', async () => {
    const resume = () => ask('POST', '/jobs/golden/replays', {}, { 'idempotency-key': 'one' });
    await ask('POST', '/jobs/golden/pause', {});
    expect((await resume()).status).toBe(409);
    await ask('POST', '/jobs/golden/resume', {});
    expect((await resume()).status).toBe(200);
  });

  test('of a backfill of a thousand runs names all of them again', async () => {
    const year = { from: iso(seven - 990 * hour), to: iso(seven - hour), why: 'a year of lists' };
    const first = await ask('POST', '/jobs/score/backfill', year, { 'idempotency-key': 'one' });
    expect(first.body.runs).toHaveLength(990);
    expect(await ask('POST', '/jobs/score/backfill', year, { 'idempotency-key': 'one' })).toEqual(first);
  });
});

describe('If-Match', () => {
  test.each([
    'acknowledge',
    'resolve',
  ])('keeps %s from an incident that has changed since it was read', async (order) => {
    const id = await incident();
    const read = await ask('GET', `/incidents/${id}`);
    expect(read).toMatchObject({ status: 200, body: { id, job: 'sick', state: 'open', times: 1 } });
    await world.pass(seven + hour + 2 * minute);
    const stale = await ask('POST', `/incidents/${id}/${order}`, {}, { 'if-match': read.etag ?? '' });
    expect([stale.status, stale.body.type]).toEqual([412, 'urn:lamplighter:changed-meanwhile']);
    const now = await ask('GET', `/incidents/${id}`);
    expect(now.body).toMatchObject({ state: 'open', times: 2 });
    expect((await ask('POST', `/incidents/${id}/${order}`, {}, { 'if-match': now.etag ?? '' })).status).toBe(200);
  });

  test('keeps the end from a silence that is another than was read, and lets the one that was', async () => {
    const read = await ask('GET', '/silences/abc123');
    expect(read).toMatchObject({ status: 200, body: { id: 'abc123' } });
    expect((await ask('POST', '/silences/abc123/end', {}, { 'if-match': 'W/"another"' })).status).toBe(412);
    expect((await ask('POST', '/silences/abc123/end', {}, { 'if-match': read.etag ?? '' })).status).toBe(200);
    expect((await ask('GET', '/silences/abc123')).body.type).toBe('urn:lamplighter:no-such-silence');
  });

  test('of a request that was done is not asked again when its answer got lost', async () => {
    const { etag } = await ask('GET', '/jobs/score');
    const headers = { 'if-match': etag ?? '', 'idempotency-key': 'one' };
    const first = await ask('POST', '/jobs/score/pause', {}, headers);
    expect(first.status).toBe(200);
    expect(await ask('POST', '/jobs/score/pause', {}, headers)).toEqual(first);
  });
});

describe('a replay that a person asks for', () => {
  const golden = (body = {}) => ask('POST', '/jobs/golden/replays', body);

  test('waits for the one under way, and is done then', async () => {
    const first = await golden();
    world.now += 2 * minute;
    const second = await golden({ why: 'once more' });
    expect(second.body).toEqual({ job: 'golden', run: null, after: first.body.run });
    // One that has only just been started answers both.
    const third = await golden();
    expect(third.body.after).toBe(first.body.run);
  });

  test('is of the examples that were deployed where this process has read no code', async () => {
    const { golden: _, ...known } = await packed('golden');
    await register(world.parts, world.jobs, world.now);
    world.jobs.set('golden', known);
    expect((await golden()).body).toMatchObject({ run: expect.stringMatching(/^golden\./), after: null });
  });

  test.each([
    ['sick', 409, 'it has no frozen examples'],
    ['nothing', 404, 'expected the name of a job'],
  ])('of %s is refused with the reason', async (name, status, detail) => {
    const before = await audit();
    const answer = await ask('POST', `/jobs/${name}/replays`, {});
    expect([answer.status, answer.body.detail]).toEqual([status, expect.stringContaining(detail)]);
    expect(await audit()).toBe(before);
  });

  test('of a job that does not say how is refused, and says what to write', async () => {
    world.jobs.set('golden', await packed('golden', {}, 'outputs: [out.csv]\n'));
    expect((await golden()).body.detail).toContain('add replay: { command: [...] }');
    world.jobs.set('golden', await packed('golden', {}, 'replay: { command: [python, main.py] }\n'));
    expect((await golden()).body.detail).toContain('declares no outputs to compare');
  });
});
