import { expect, test } from 'vitest';
import { api } from '../../shared/api/api.ts';
import { eventText } from '../../shared/events.ts';
import { nudges } from '../../shared/executors/nudge.ts';
import { minute } from '../../shared/instant.ts';
import { everyMinute, job } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const id = { job: 'score', run: '20261120T070000Z', attempt: 1 };
const app = 'https://lamp.example';
const noCaller = () => Promise.reject(new Error('no one calls the API here'));
const json = { 'content-type': 'application/json' };

test('two hosts agree on the code of an attempt, the one that made the key', async () => {
  const world = await World.inMemory();
  const [one, other] = [1, 2].map(() => nudges(app, () => world.store.keys('nudge')));
  const urls = await Promise.all([one?.url(id), other?.url(id)]);
  expect(urls[0]).toMatch(/^https:\/\/lamp\.example\/api\/finish\?code=[\w-]{43}$/);
  expect(urls[1]).toBe(urls[0]);
});

test('the code of one attempt is none of another', async () => {
  const world = await World.inMemory();
  const doorman = nudges(app, () => world.store.keys('nudge'));
  const code = new URL((await doorman.url(id)) ?? '').searchParams.get('code') ?? '';
  expect(await doorman.isSigned(id, code)).toBe(true);
  for (const other of [
    { ...id, attempt: 2 },
    { ...id, job: 'scor' },
    { ...id, run: '20261120T070100Z' },
  ]) {
    expect(await doorman.isSigned(other, code)).toBe(false);
  }
  for (const wrong of ['', code.slice(1), `${code}x`, 'ü'.repeat(43)])
    expect(await doorman.isSigned(id, wrong)).toBe(false);
});

test('an outage while the key is fetched is not remembered', async () => {
  let away = true;
  const doorman = nudges(app, async () => {
    if (away) throw new Error('storage is unavailable');
    return Buffer.alloc(32);
  });
  await expect(doorman.url(id)).rejects.toThrow('storage is unavailable');
  away = false;
  expect(await doorman.url(id)).toContain('?code=');
});

test('a nudge without its code makes the service read nothing; with it the run ends at once', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute }));
  const doorman = nudges(app, () => world.store.keys('nudge'));
  const parts = { ...world.parts, settings: { ...world.parts.settings, nudges: doorman } };
  world.deaf = true;
  await world.pass(world.now + minute);
  const attempt = world.platform.nudges[0];
  if (!attempt) throw new Error('nothing ended');
  const knock = async (url: string) =>
    (
      await api(parts, () => world.now, noCaller).request(url, {
        method: 'POST',
        headers: json,
        body: JSON.stringify(attempt),
      })
    ).status;
  expect(await knock('/api/finish')).toBe(401);
  expect(await knock('/api/finish?code=guess')).toBe(401);
  expect(await world.states('score')).toContain('running');
  expect(await knock(((await doorman.url(attempt)) ?? '').slice(app.length))).toBe(204);
  expect(await world.states('score')).toContain('succeeded');
});

test('a nudge of megabytes is not read', async () => {
  const world = await World.inMemory();
  const body = JSON.stringify({ ...id, more: 'x'.repeat(1 << 20) });
  const answer = await api(world.parts, () => world.now, noCaller).request('/api/finish', {
    method: 'POST',
    headers: json,
    body,
  });
  expect(answer.status).toBe(413);
});

test('a request that meets an outage is reported as trouble, and the answer says a stranger nothing', async () => {
  const world = await World.inMemory();
  const active = { ...world.store.active, all: () => failing('storage at 10.0.0.1 is unavailable') };
  const parts = world.host({ store: { ...world.store, active } });
  const answer = await api(parts, () => world.now, noCaller).request('/api/tick', { method: 'POST' });
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('10.0.0.1');
  expect(world.events.map(eventText)).toContain(
    'trouble while answering POST /api/tick: storage at 10.0.0.1 is unavailable',
  );
});

const strangers: [string, RequestInit & { headers: Record<string, string> }, number][] = [
  ['text, as a form of any page can send it', { headers: { 'content-type': 'text/plain' } }, 415],
  ['no type at all', { headers: {} }, 415],
  ['JSON from another page', { headers: { ...json, origin: 'https://evil.example' } }, 403],
  ['JSON from a page without a place', { headers: { ...json, origin: 'null' } }, 403],
  [
    'a name with an escape sequence',
    { headers: json, body: JSON.stringify({ ...id, job: 'a\u001b]52;c;aGk=\u0007' }) },
    400,
  ],
  ['a name that leaves its folder', { headers: json, body: JSON.stringify({ ...id, job: '../x' }) }, 400],
  ['a run that is none', { headers: json, body: JSON.stringify({ ...id, run: 'latest' }) }, 400],
  ['more than it asks for', { headers: json, body: JSON.stringify({ ...id, state: 'succeeded' }) }, 400],
  ['a list', { headers: json, body: '[]' }, 400],
  ['no JSON', { headers: json, body: '{' }, 400],
  ['a guess, on one machine', { headers: json, body: JSON.stringify(id) }, 401],
];

test.each(strangers)('a nudge of %s is refused, and nothing is read or printed', async (_, request, status) => {
  const world = await World.inMemory();
  const runs = { ...world.store.runs, get: () => Promise.reject(new Error('a run was read')) };
  const parts = world.host({ store: { ...world.store, runs } });
  const body = request.body ?? JSON.stringify(id);
  const answer = await api(parts, () => world.now, noCaller).request('/api/finish', {
    method: 'POST',
    ...request,
    body,
  });
  expect(answer.status).toBe(status);
  expect(world.events.filter(({ type }) => type !== 'ticked')).toEqual([]);
});

test('a tick that another page asks for is refused', async () => {
  const world = await World.inMemory();
  const ask = (origin: string) =>
    api(world.parts, () => world.now, noCaller).request('/api/tick', { method: 'POST', headers: { origin } });
  expect((await ask('https://evil.example')).status).toBe(403);
  expect((await ask('http://localhost')).status).toBe(200);
});

// biome-ignore lint/correctness/useYield: the first row that is asked for fails
async function* failing(message: string): AsyncGenerator<never> {
  throw new Error(message);
}
