import { describe, expect, test } from 'vitest';
import { api } from '../../shared/api/api.ts';
import type { Caller } from '../../shared/api/caller.ts';
import { apiPath } from '../../shared/api/paths.ts';
import { hour, iso, minute } from '../../shared/instant.ts';
import { parseRunName } from '../../shared/run/run.ts';
import { everyMinute, job } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const admin: Caller = { name: 'ops@contoso.com', roles: ['admin'], departments: null };

const bodySize = { 'content-type': 'application/json' };

/** The API over a world of jobs, as one caller meets it. */
function open(world: World, caller: Caller = admin, parts = world.parts) {
  const app = api(
    parts,
    () => world.now,
    async () => caller,
  );
  return async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await app.request(`${apiPath}${path}`, {
      method,
      headers: { ...(body !== undefined && bodySize), ...headers },
      ...(body !== undefined && { body: text }),
    });
    const type = answer.headers.get('content-type') ?? '';
    return {
      status: answer.status,
      headers: answer.headers,
      body: type.includes('json') ? JSON.parse(await answer.text()) : undefined,
    };
  };
}

async function worked(minutes: number): Promise<World> {
  const world = await World.inMemory(job('score', { schedule: everyMinute }), job('pull', {}));
  await world.pass(world.now + minutes * minute);
  return world;
}

describe('reading', () => {
  test('jobs, with how they went last and when they run next, page by page', async () => {
    const ask = open(await worked(3));
    const first = await ask('GET', '/jobs?limit=1');
    expect(first.body.items.map(({ job: name }: { job: string }) => name)).toEqual(['pull']);
    const second = await ask('GET', `/jobs?limit=1&cursor=${first.body.next}`);
    expect(second.body.items).toMatchObject([{ job: 'score', last: { state: 'succeeded' }, status: 'production' }]);
    expect((await ask('GET', `/jobs?limit=5&cursor=${first.body.next}`)).body.next).toBeNull();
  });

  test('runs, newest first, each once over all pages, also while new ones come', async () => {
    const world = await worked(7);
    const ask = open(world);
    const all = (await ask('GET', '/runs?limit=500')).body.items.map(({ run }: { run: string }) => run);
    expect(all.length).toBeGreaterThanOrEqual(7);
    expect(all).toEqual([...all].sort().reverse());
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await ask('GET', `/jobs/score/runs?limit=2${cursor}`);
      seen.push(...body.items.map(({ run }: { run: string }) => run));
      if (body.next === null) break;
      cursor = `&cursor=${body.next}`;
      await world.pass(world.now + minute);
    }
    expect(seen).toEqual(all);
  });

  test('runs by state and slot', async () => {
    const world = await worked(5);
    const ask = open(world);
    expect((await ask('GET', '/runs?state=failed,lost')).body.items).toEqual([]);
    const since = iso(world.now - 2 * minute);
    const some = (await ask('GET', `/runs?state=succeeded&since=${since}`)).body.items;
    expect(some.length).toBeGreaterThan(0);
    for (const { slot, state } of some) expect([slot >= since, state]).toEqual([true, 'succeeded']);
  });

  test('a run, whose ETag changes with it', async () => {
    const world = await worked(2);
    const ask = open(world);
    const [{ run }] = (await ask('GET', '/jobs/score/runs?state=succeeded')).body.items;
    const one = await ask('GET', `/jobs/score/runs/${parseRunName(run)?.id}`);
    expect(one.body).toMatchObject({ run, state: 'succeeded', attempts: [{ number: 1 }] });
    expect(one.headers.get('etag')).toMatch(/^W\//);
  });

  test('slots to come, on the clock of the job', async () => {
    const ask = open(await worked(1));
    const { body } = await ask('GET', '/jobs/score/slots?count=2&after=2026-11-20T07:00:00Z');
    expect(body.items.map(({ utc }: { utc: string }) => utc)).toEqual(['2026-11-20T07:01:00Z', '2026-11-20T07:02:00Z']);
  });
});

describe('what is not there, or not well asked', () => {
  test.each([
    ['a job', '/jobs/scor', 404, 'no-such-job'],
    ['a run', '/jobs/score/runs/20200101T000000Z', 404, 'no-such-run'],
    ['a run that is no run', '/jobs/score/runs/latest', 404, 'no-such-run'],
    ['an address', '/jobs/score/nothing', 404, 'no-such-route'],
    ['a look at what only takes orders', '/jobs/score/pause', 405, 'no-such-method'],
    ['a limit of thousands', '/jobs?limit=5000', 400, 'bad-request'],
    ['a state of its own', '/runs?state=broken', 400, 'bad-request'],
    ['a cursor of its own', '/runs?cursor=eyJ4IjoxfQ', 404, 'no-such-page'],
    ['a name that is a path', '/jobs/..%2Fx', 400, 'bad-request'],
    ['a filter of a table', `/jobs/${encodeURIComponent("x' or 'a' eq 'a")}`, 400, 'bad-request'],
  ])('%s is refused with a code, what was expected, and no more', async (_, path, status, code) => {
    const answer = await open(await worked(1))('GET', path);
    expect([answer.status, answer.body.type]).toEqual([status, `urn:lamplighter:${code}`]);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body.detail).toMatch(/expected/i);
  });

  test('an outage of the store is 503, never "not found"', async () => {
    const world = await worked(1);
    const jobs = { ...world.store.jobs, get: () => Promise.reject(new Error('storage at 10.0.0.1 is unavailable')) };
    const parts = world.host({ store: { ...world.store, jobs } });
    const answer = await open(world, admin, parts)('GET', '/jobs/score');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '10']);
    expect(JSON.stringify(answer.body)).not.toContain('10.0.0.1');
    expect(world.events.filter(({ type }) => type === 'trouble')).toHaveLength(1);
  });

  test('a text that is too long is refused with the most that it may have, and what it has', async () => {
    const ask = open(await worked(1));
    const long = await ask('POST', '/jobs/score/pause', { why: 'x'.repeat(40_000) });
    expect([long.status, long.body.detail]).toEqual([400, 'json.why: expected at most 2000 characters, found 40000']);
    const args = await ask('POST', '/jobs/score/runs', { args: ['a', 'x'.repeat(4_001)] });
    expect(args.body.detail).toBe('json.args.1: expected at most 4000 characters, found 4001');
    expect((await ask('POST', '/jobs/score/pause', { why: 'x'.repeat(2_000) })).status).toBe(200);
  });

  test('a body that is no JSON, or has what no one asked for, or is too large', async () => {
    const ask = open(await worked(1));
    expect((await ask('POST', '/jobs/pull/runs', '{')).status).toBe(400);
    expect((await ask('POST', '/jobs/pull/runs', { wait: true })).status).toBe(400);
    expect((await ask('POST', '/jobs/pull/runs', { why: 'x'.repeat(600 * 1024) })).status).toBe(413);
  });
});

describe('acting', () => {
  test('runs a job now, once for each idempotency key', async () => {
    const world = await worked(1);
    const ask = open(world);
    const body = { args: ['--limit', '5'], why: 'the CRM was down' };
    const first = await ask('POST', '/jobs/pull/runs', body, { 'idempotency-key': 'one' });
    await world.pass(world.now + 5_000);
    const again = await ask('POST', '/jobs/pull/runs', body, { 'idempotency-key': 'one' });
    const other = await ask('POST', '/jobs/pull/runs', body, { 'idempotency-key': 'two' });
    expect(first.body).toMatchObject({ args: ['--limit', '5'], asked: { by: 'ops@contoso.com', why: body.why } });
    expect(again.body.run).toBe(first.body.run);
    expect(other.body.run).not.toBe(first.body.run);
    await world.pass(world.now + minute);
    expect(await world.states('pull')).toEqual(['succeeded', 'succeeded']);
    const reused = await ask('POST', '/jobs/pull/runs', { ...body, args: [] }, { 'idempotency-key': 'one' });
    expect([reused.status, reused.body.type]).toEqual([409, 'urn:lamplighter:key-reused']);
  });

  test('a key of one caller is none of another', async () => {
    const world = await worked(1);
    const key = { 'idempotency-key': 'one' };
    const mine = await open(world)('POST', '/jobs/pull/runs', {}, key);
    const yours = await open(world, { ...admin, name: 'lee@contoso.com' })('POST', '/jobs/pull/runs', {}, key);
    expect(yours.body.run).not.toBe(mine.body.run);
  });

  test('pauses, resumes, and says who did it', async () => {
    const world = await worked(1);
    const ask = open(world);
    expect((await ask('POST', '/jobs/score/pause', { why: 'the CRM moves' })).body.changed).toBe(true);
    expect((await ask('POST', '/jobs/score/pause', { why: 'again' })).body.changed).toBe(false);
    expect((await ask('GET', '/jobs/score')).body.paused).toMatchObject({
      by: 'ops@contoso.com',
      why: 'the CRM moves',
    });
    expect((await ask('POST', '/jobs/score/resume', { catchUp: false })).body).toMatchObject({ changed: true });
    const events = (await ask('GET', '/jobs/score/events')).body.items;
    expect(events.map(({ kind }: { kind: string }) => kind)).toEqual(expect.arrayContaining(['paused', 'resumed']));
  });

  test('only on the version that was read, when the caller says which', async () => {
    const world = await worked(1);
    const ask = open(world);
    const old = (await ask('GET', '/jobs/score')).headers.get('etag') ?? '';
    await ask('POST', '/jobs/score/pause', {}, { 'if-match': old });
    const stale = await ask('POST', '/jobs/score/resume', {}, { 'if-match': old });
    expect([stale.status, stale.body.type]).toEqual([412, 'urn:lamplighter:changed-meanwhile']);
    expect((await ask('GET', '/jobs/score')).body.paused).not.toBeNull();
  });

  test('cancels what waits, reruns what is over, and neither the other way round', async () => {
    const world = await worked(2);
    const ask = open(world);
    const [over] = (await ask('GET', '/jobs/score/runs?state=succeeded')).body.items;
    const id = parseRunName(over.run)?.id;
    expect((await ask('POST', `/jobs/score/runs/${id}/cancel`, {})).status).toBe(409);
    const rerun = await ask('POST', `/jobs/score/runs/${id}/rerun`, { why: 'wrong list' });
    expect(rerun.body).toMatchObject({ trigger: 'rerun', repeats: over.run });
    const next = parseRunName(rerun.body.run)?.id;
    expect((await ask('POST', `/jobs/score/runs/${next}/rerun`, {})).status).toBe(409);
    expect((await ask('POST', `/jobs/score/runs/${next}/cancel`, { why: 'no' })).body.state).toBe('cancelled');
  });

  test('backfills a range, dry run first', async () => {
    const world = await worked(1);
    const ask = open(world);
    const [from, to] = [iso(world.now - hour), iso(world.now - hour + 2 * minute)];
    const plan = await ask('POST', '/jobs/score/backfill', { from, to, dryRun: true });
    expect(plan.body).toMatchObject({ dryRun: true, runs: [], done: 0 });
    expect(plan.body.slots.length).toBeGreaterThanOrEqual(2);
    const done = await ask('POST', '/jobs/score/backfill', { from, to });
    expect(done.body.runs).toHaveLength(plan.body.slots.length);
    const future = await ask('POST', '/jobs/score/backfill', { from, to: iso(world.now + hour) });
    expect([future.status, future.body.detail]).toEqual([409, expect.stringContaining('an instant that is past')]);
  });
});

describe('who may do what', () => {
  const paths: [method: string, path: string, body: unknown][] = [
    ['GET', '/jobs', undefined],
    ['GET', '/runs', undefined],
    ['GET', '/jobs/score', undefined],
    ['GET', '/jobs/score/runs', undefined],
    ['GET', '/jobs/score/slots', undefined],
    ['GET', '/jobs/score/events', undefined],
    ['GET', '/jobs/score/metrics', undefined],
    ['GET', '/health', undefined],
    ['POST', '/jobs/score/runs', {}],
    ['POST', '/jobs/score/pause', {}],
    ['POST', '/jobs/score/resume', {}],
    ['POST', '/jobs/score/backfill', { from: '2026-11-01T00:00:00Z', to: '2026-11-01T00:00:00Z', dryRun: true }],
  ];
  const callers: [Caller['roles'][number] | 'no role', boolean, boolean][] = [
    ['no role', false, false],
    ['viewer', true, false],
    ['auditor', true, false],
    ['operator', true, true],
    ['admin', true, true],
  ];

  test.each(callers)('%s reads: %s, acts: %s', async (role, reads, acts) => {
    const world = await worked(1);
    const roles = role === 'no role' ? [] : [role];
    const ask = open(world, { name: 'x', roles, departments: null });
    for (const [method, path, body] of paths) {
      const may = method === 'GET' ? reads : acts;
      expect([path, (await ask(method, path, body)).status]).toEqual([path, may ? 200 : 403]);
    }
  });

  test('jobs of another department do not exist', async () => {
    const world = await worked(2);
    const { department } = world.parts.catalog().get('score')?.job.owner ?? { department: '' };
    const stranger = open(world, { name: 'x', roles: ['admin'], departments: ['Elsewhere'] });
    for (const [method, path, body] of paths.filter(([, path]) => path.includes('/score'))) {
      expect([path, (await stranger(method, path, body)).status]).toEqual([path, 404]);
    }
    expect((await stranger('GET', '/runs')).body.items).toEqual([]);
    expect((await stranger('GET', '/jobs')).body.items).toEqual([]);
    const own = open(world, { name: 'x', roles: ['viewer'], departments: [department] });
    expect((await own('GET', '/jobs/score')).status).toBe(200);
  });
});

describe('the audit', () => {
  test('is checked for auditors and admins of the whole installation, and a broken link is named', async () => {
    const world = await worked(2);
    await open(world)('POST', '/jobs/score/pause', { why: 'the CRM moves' });
    const auditor: Caller = { name: 'kim@contoso.com', roles: ['auditor'], departments: null };
    const whole = await open(world, auditor)('GET', '/audit/verify');
    expect(whole).toMatchObject({ status: 200, body: { entries: 3, broken: [], unlisted: 0 } });
    const { head } = whole.body.heads.at(-1);
    expect((await open(world, auditor)('GET', `/audit/verify?head=${head}`)).body.broken).toEqual([]);
    const foreign = head.replace(/.$/, (last: string) => (last === '0' ? '1' : '0'));
    const other = await open(world, auditor)('GET', `/audit/verify?head=${foreign}&from=2026-11-20`);
    expect(other.body.broken).toMatchObject([{ kind: 'changed', entry: 3 }]);
    for (const caller of [
      { ...auditor, roles: ['viewer', 'operator'] as const },
      { ...auditor, departments: ['Sales'] },
    ])
      expect((await open(world, caller)('GET', '/audit/verify')).status).toBe(403);
    for (const query of ['head=x', 'from=yesterday', 'to=2026-02-30'])
      expect((await open(world, auditor)('GET', `/audit/verify?${query}`)).status).toBe(400);
  });
});
