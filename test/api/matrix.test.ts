import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entraGuard } from '../../shared/api/entra.ts';
import { apiDocument, v1 } from '../../shared/api/v1.ts';
import { opened } from '../../shared/drift/finding.ts';
import { newState } from '../../shared/drift/state.ts';
import { day, iso, minute } from '../../shared/instant.ts';
import { Mailbox } from '../support/alerts/world.ts';
import { Issuer } from '../support/cli/issuer.ts';
import { everyMinute, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

/** Each role × every endpoint, with tokens of an issuer as the app checks them. */

type Right = 'any' | 'read' | 'act' | 'administer' | 'audit';
const rolesOf: Record<Right, readonly string[]> = {
  any: ['none', 'viewer', 'auditor', 'operator', 'admin'],
  read: ['viewer', 'auditor', 'operator', 'admin'],
  act: ['operator', 'admin'],
  administer: ['admin'],
  audit: ['auditor', 'admin'],
};

/** Who may call each route, and a body where one is needed. A route that is missing here fails the first test. */
const table: Record<string, Right | [right: Right, body: unknown]> = {
  'GET /jobs': 'read',
  'GET /jobs/{job}': 'read',
  'GET /jobs/{job}/slots': 'read',
  'GET /slots': 'read',
  'GET /runs': 'read',
  'GET /jobs/{job}/runs': 'read',
  'GET /jobs/{job}/latest-run': 'read',
  'GET /jobs/{job}/runs/{run}': 'read',
  'GET /jobs/{job}/runs/{run}/attempts/{attempt}/log': 'read',
  'GET /jobs/{job}/runs/{run}/alert': 'read',
  'GET /jobs/{job}/metrics': 'read',
  'GET /jobs/{job}/metrics/{metric}': 'read',
  'GET /jobs/{job}/events': 'read',
  'GET /events': 'read',
  'GET /jobs/{job}/findings': 'read',
  'GET /findings': 'read',
  'GET /jobs/{job}/findings/{finding}/picture.svg': 'read',
  'GET /jobs/{job}/baseline': 'read',
  'GET /jobs/{job}/replays': 'read',
  'GET /incidents': 'read',
  'GET /incidents/{incident}': 'read',
  'GET /silences': 'read',
  'GET /silences/{silence}': 'read',
  'GET /alerts': 'read',
  'GET /health': 'read',
  'GET /clock': 'read',
  'GET /audit/verify': 'audit',
  'GET /me': 'any',
  'GET /jobs/{job}/ping-key': 'administer',
  'POST /jobs/{job}/runs': 'act',
  'POST /jobs/{job}/runs/{run}/rerun': 'act',
  'POST /jobs/{job}/runs/{run}/cancel': 'act',
  'POST /jobs/{job}/pause': 'act',
  'POST /jobs/{job}/resume': 'act',
  'POST /jobs/{job}/backfill': ['act', { from: '2026-11-01', to: '2026-11-01T00:05:00', dryRun: true }],
  'POST /jobs/{job}/backfill/cancel': 'act',
  'POST /jobs/{job}/findings/{finding}/snooze': ['act', { until: iso(seven + 2 * day) }],
  'POST /jobs/{job}/findings/{finding}/answer': ['act', { answer: 'real' }],
  'POST /jobs/{job}/baseline/pin': ['act', { since: '2026-11-01T00:00:00Z' }],
  'POST /jobs/{job}/baseline/reset': 'act',
  'POST /jobs/{job}/replays': 'act',
  'POST /incidents/{incident}/acknowledge': 'act',
  'POST /incidents/{incident}/resolve': 'act',
  'POST /silences': ['act', { scope: { kind: 'job', name: 'score' }, until: iso(seven + day), why: 'moving' }],
  'POST /silences/{silence}/end': 'act',
  'POST /alerts/test': 'administer',
  'POST /clock/confirm': 'administer',
  'POST /owner-left': ['administer', { email: 'lee@contoso.com' }],
};

const routes = Object.entries(table).map(([route, said]) => {
  const [right, body] = Array.isArray(said) ? said : [said, {}];
  const [method = '', path = ''] = route.split(' ');
  return { route, method, path, right, body };
});

let issuer: Issuer;
beforeAll(async () => {
  issuer = await Issuer.start();
});
afterAll(() => issuer?.stop());

/** A service with one of everything that a path may name. */
async function service() {
  const world = await World.inMemory(job('score', { schedule: everyMinute }), { ...job('outside'), external: true });
  await world.pass(world.now + 2 * minute);
  world.platform.behave = () => 'fail';
  await world.pass(world.now + 2 * minute);
  const numbers = { metric: 'mean', kind: 'shift_up', share: false, before: 10, low: 9, high: 12, after: 20 } as const;
  const moved = { since: seven - 4 * day, found: seven - day, kind: 'shift_up' } as const;
  const points = [10, 11, 10, 11, 20, 21].map((value, at) => ({ slot: seven - (6 - at) * day, value }));
  await world.store.drift.putStates([{ ...newState('score', 'mean', 10), points, drifted: moved }]);
  const finding = opened('score', { ...moved, metric: 'mean', oneIn: 900, numbers });
  await world.store.drift.putFinding({ ...finding, sentence: 'It moved.' });
  const scope = { kind: 'job', name: 'score' } as const;
  const silence = { id: 'abc123', scope, from: world.now, until: seven + day, by: 'x', why: 'y' };
  await world.store.silences.add(silence);
  const incidents: string[] = [];
  for await (const { value } of world.store.incidents.open()) incidents.push(value.id);
  const failed = (await world.rows('score')).findLast(({ state }) => state === 'failed');
  const parts = world.host({ alerts: new Mailbox(() => world.now).alerts });
  const { tenant, client, authority } = issuer;
  const app = v1({ parts, clock: () => world.now }, entraGuard({ tenant, client, authority }));
  const names: Record<string, string> = {
    run: failed?.id ?? '',
    attempt: '1',
    metric: 'duration',
    finding: finding.id,
    incident: incidents[0] ?? '',
    silence: silence.id,
  };
  const ask = async ({ method, path, body }: (typeof routes)[0], claims?: Record<string, unknown>) => {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
      name === 'job' ? (path.endsWith('ping-key') ? 'outside' : 'score') : encodeURIComponent(names[name] ?? ''),
    );
    const headers = {
      ...(claims && { authorization: `Bearer ${await issuer.token(claims)}` }),
      'content-type': 'application/json',
    };
    const sent = method === 'POST' ? { body: JSON.stringify(body) } : {};
    return (await app.request(filled, { method, headers, ...sent })).status;
  };
  return { app, ask };
}

test('every endpoint is in the matrix', async () => {
  const { app } = await service();
  const { paths = {} } = apiDocument(app);
  const named = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(Object.keys(table).sort()).toEqual(named.sort());
});

test.each([
  'none',
  'viewer',
  'auditor',
  'operator',
  'admin',
])('the role %s may do what it may, and nothing else', async (role) => {
  const { ask } = await service();
  const claims = { preferred_username: 'dana@contoso.com', roles: role === 'none' ? [] : [role] };
  for (const one of routes) {
    const status = await ask(one, claims);
    const may = rolesOf[one.right].includes(role);
    expect([one.route, status === 403]).toEqual([one.route, !may]);
    // What is looked at is there; what is done may have been done by a line above.
    if (may && one.method === 'GET') expect([one.route, status]).toEqual([one.route, 200]);
    if (may) expect([one.route, [200, 404, 409].includes(status)]).toEqual([one.route, true]);
  }
});

describe('no one gets anywhere', () => {
  test('without a token', async () => {
    const { ask } = await service();
    for (const one of routes) expect([one.route, await ask(one)]).toEqual([one.route, 401]);
  });

  test('with a token for another app, or of yesterday', async () => {
    const { ask } = await service();
    const admin = { preferred_username: 'dana@contoso.com', roles: ['admin'] };
    for (const one of routes) {
      expect([one.route, await ask(one, { ...admin, aud: 'another-app' })]).toEqual([one.route, 401]);
      expect([one.route, await ask(one, { ...admin, exp: 1_000_000_000 })]).toEqual([one.route, 401]);
    }
  });
});

test('jobs of another department do not exist, and what concerns all departments is not for one', async () => {
  const { ask } = await service();
  const stranger = { preferred_username: 'lee@contoso.com', roles: ['admin:Elsewhere'] };
  for (const one of routes) {
    const status = await ask(one, stranger);
    const named = /\{(job|incident|silence)\}/.test(one.path) || one.route === 'POST /silences';
    const forAll = ['GET /alerts', 'GET /audit/verify', 'POST /alerts/test', 'POST /clock/confirm'].includes(one.route);
    expect([one.route, status]).toEqual([one.route, named ? 404 : forAll ? 403 : 200]);
  }
});
