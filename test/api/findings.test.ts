import { expect, test } from 'vitest';
import { api } from '../../shared/api/api.ts';
import type { Caller } from '../../shared/api/caller.ts';
import { apiPath } from '../../shared/api/paths.ts';
import { opened } from '../../shared/drift/finding.ts';
import { newState } from '../../shared/drift/state.ts';
import { day } from '../../shared/instant.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const reader: Caller = { name: 'lee@contoso.com', roles: ['viewer'], departments: null };

async function withFinding() {
  const world = await World.inMemory(job('score', { schedule: hourly }), job('pull', { schedule: hourly }));
  const since = seven + 4 * day;
  const points = [10, 11, 10, 11, 20, 21].map((value, i) => ({ slot: seven + i * day, value }));
  const numbers = { metric: 'mean', kind: 'shift_up', share: false, before: 10, low: 9, high: 12, after: 20 } as const;
  const sign = { metric: 'mean', since, found: seven + 5 * day, kind: 'shift_up', oneIn: 900, numbers } as const;
  const text = 'the model changed from a to <script>alert(1)</script>';
  const change = { kind: 'model', at: 4, slot: since, text } as const;
  const attribution = { verdict: 'agent' as const, candidates: [{ change, weight: 1 }] };
  const finding = { ...opened('score', sign), sentence: 'It moved.', attribution };
  await world.store.drift.putStates([{ ...newState('score', 'mean', 10), points }]);
  await world.store.drift.putFinding(finding);
  const ask = (path: string, caller: Caller = reader) =>
    api(
      world.parts,
      () => world.now,
      async () => caller,
    ).request(`${apiPath}${path}`);
  return { world, finding, ask };
}

test('the findings of a job come with their sentence, their numbers and their causes', async () => {
  const { ask, finding } = await withFinding();
  const answer = await ask('/jobs/score/findings');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    items: [
      {
        ...{ id: finding.id, job: 'score', state: 'open', sentence: 'It moved.', verdict: 'agent', answered: null },
        since: '2026-11-24T07:00:00Z',
        metrics: [{ metric: 'mean', before: 10, low: 9, high: 12, after: 20, oneIn: 900 }],
        causes: [{ kind: 'model', weight: 1 }],
      },
    ],
  });
  expect(await (await ask('/jobs/score/findings?state=recovered')).json()).toEqual({ items: [] });
  expect(await (await ask('/jobs/pull/findings')).json()).toEqual({ items: [] });
  expect((await ask('/jobs/score/findings?state=broken')).status).toBe(400);
});

test('the picture is an SVG that may load and run nothing, whatever the job calls its model', async () => {
  const { ask, finding } = await withFinding();
  const answer = await ask(`/jobs/score/findings/${finding.id}/picture.svg`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('image/svg+xml');
  expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; style-src 'unsafe-inline'");
  const svg = await answer.text();
  expect(svg).toMatch(/^<svg /);
  expect(svg).toContain('&lt;script&gt;');
  expect(svg).not.toContain('<script');
});

test('a finding that is not there, or of a department of others, is not found', async () => {
  const { ask, finding } = await withFinding();
  const missing = await ask('/jobs/score/findings/1/picture.svg');
  expect([missing.status, ((await missing.json()) as { type: string }).type]).toEqual([
    404,
    'urn:lamplighter:no-such-finding',
  ]);
  const other: Caller = { ...reader, departments: ['Finance'] };
  for (const path of ['', `/${finding.id}/picture.svg`])
    expect((await ask(`/jobs/score/findings${path}`, other)).status).toBe(404);
  const none: Caller = { ...reader, roles: [] };
  expect((await ask('/jobs/score/findings', none)).status).toBe(403);
});
