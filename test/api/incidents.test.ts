import { expect, test } from 'vitest';
import { record } from '../../shared/alerts/see.ts';
import { api } from '../../shared/api/api.ts';
import type { Caller } from '../../shared/api/caller.ts';
import { apiPath } from '../../shared/api/paths.ts';
import { minute } from '../../shared/instant.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const operator: Caller = { name: 'lee@contoso.com', roles: ['operator'], departments: null };

async function failed() {
  const world = await World.inMemory(job('score', { schedule: hourly }), job('pull', { schedule: hourly }));
  world.platform.behave = ({ job: name }) => (name === 'score' ? 'fail' : 'succeed');
  await world.pass(seven + 2 * minute);
  const as = (caller: Caller) => async (method: string, path: string, body?: unknown) => {
    const app = api(
      world.parts,
      () => world.now,
      async () => caller,
    );
    const text =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await app.request(`${apiPath}${path}`, { method, ...text });
    return {
      status: answer.status,
      body: (await answer.json()) as Record<string, unknown> & { items: { id: string }[] },
    };
  };
  const [one] = (await as(operator)('GET', '/incidents')).body.items;
  return { world, as, id: one?.id ?? '' };
}

test('the list has what is wrong, and takes a job and a state', async () => {
  const { as } = await failed();
  const ask = as(operator);
  expect((await ask('GET', '/incidents')).body.items).toMatchObject([
    { job: 'score', cause: 'failed', state: 'open', times: 1 },
  ]);
  expect((await ask('GET', '/incidents?job=pull')).body.items).toEqual([]);
  expect((await ask('GET', '/incidents?state=acknowledged')).body.items).toEqual([]);
  expect((await ask('GET', '/incidents?state=broken')).status).toBe(400);
});

test('an operator acknowledges once and resolves once, in the audit by name', async () => {
  const { world, as, id } = await failed();
  const ask = as(operator);
  const taken = await ask('POST', `/incidents/${id}/acknowledge`, { why: 'I ask the CRM team' });
  expect(taken).toMatchObject({
    status: 200,
    body: { state: 'acknowledged', acknowledged: { by: 'lee@contoso.com', why: 'I ask the CRM team' } },
  });
  expect((await ask('POST', `/incidents/${id}/acknowledge`)).status).toBe(409);
  world.now += minute;
  expect((await ask('POST', `/incidents/${id}/resolve`)).body.state).toBe('resolved');
  expect((await ask('POST', `/incidents/${id}/resolve`)).status).toBe(409);
  const kinds: string[] = [];
  for await (const { kind, by } of world.store.events.list('score')) kinds.push(`${kind} ${by}`);
  expect(kinds.slice(0, 2)).toEqual(['resolved lee@contoso.com', 'acknowledged lee@contoso.com']);
});

test('a viewer may look and not act; who may not know of a job does not see its incidents', async () => {
  const { as, id } = await failed();
  const viewer = as({ name: 'v', roles: ['viewer'], departments: null });
  expect((await viewer('GET', '/incidents')).body.items).toHaveLength(1);
  expect((await viewer('POST', `/incidents/${id}/acknowledge`)).status).toBe(403);
  const other = as({ name: 'f', roles: ['operator'], departments: ['Finance'] });
  expect((await other('GET', '/incidents')).body.items).toEqual([]);
  expect((await other('POST', `/incidents/${id}/acknowledge`)).status).toBe(404);
});

test('an id that is none is refused by its shape, one that is unknown by its code', async () => {
  const { as } = await failed();
  const ask = as(operator);
  expect((await ask('POST', '/incidents/a%20b/resolve')).status).toBe(400);
  expect((await ask('POST', '/incidents/score.failed.1/resolve')).body.type).toBe('urn:lamplighter:no-such-incident');
});

test('incidents of the service name jobs of all departments, and are not for a caller of one', async () => {
  const { world, as } = await failed();
  const about = { job: null, cause: 'scheduler', tier: 'standard', text: 'slots: payroll (3 missed)' } as const;
  await record(world.store, { ...about, run: null }, world.now);
  const seen = (await as(operator)('GET', '/incidents')).body.items.find((one) => one.id.includes('scheduler'));
  expect(seen?.id).toBeDefined();
  const sales = as({ name: 's', roles: ['operator'], departments: ['Sales'] });
  expect(JSON.stringify((await sales('GET', '/incidents')).body)).not.toContain('payroll');
  expect((await sales('POST', `/incidents/${seen?.id}/resolve`)).status).toBe(404);
});
