import { expect, test } from 'vitest';
import { api } from '../../shared/api/api.ts';
import type { Caller } from '../../shared/api/caller.ts';
import { apiPath } from '../../shared/api/paths.ts';
import { answer, inputOf, ReplayService, second } from '../support/drift/replays.ts';

const reader: Caller = { name: 'lee@contoso.com', roles: ['viewer'], departments: null };

interface Listed {
  items: Record<string, unknown>[];
}

test('replays of a job are listed apart from its runs, and its findings say what they found', async () => {
  const service = await ReplayService.of();
  await service.days(2);
  service.answerTo = (name) => answer(second(inputOf(name)));
  await service.days(1);
  const { world } = service;
  const app = api(
    world.parts,
    () => world.now,
    async () => reader,
  );
  const ask = async (path: string) => (await (await app.request(`${apiPath}${path}`)).json()) as Listed;

  const replays = await ask('/jobs/score/replays');
  expect(replays).toMatchObject({ everyDays: 1, problem: null, running: null, noise: { replays: 3, share: 0 } });
  expect(replays.items.map(({ reason, state }) => `${reason} ${state}`)).toEqual([
    'confirm moved',
    'daily moved',
    'daily still',
    'pin still',
  ]);
  const one = { file: 'out.csv', path: 'row 0.score' };
  expect(replays.items[0]).toMatchObject({ changed: 12, of: 12, repeats: 3, error: null, worst: [one, one, one] });
  expect((await ask('/jobs/score/replays?limit=1')).items).toHaveLength(1);
  expect((await app.request(`${apiPath}/jobs/nothing/replays`)).status).toBe(404);

  expect((await ask('/jobs/score/runs')).items).toHaveLength(3);
  const runs = (await ask('/jobs/score/runs?kind=replay')).items;
  expect(runs.map(({ trigger }) => trigger)).toEqual(Array(4).fill('replay'));
  const [finding] = (await ask('/jobs/score/findings')).items;
  expect(finding).toMatchObject({ verdict: 'early', metrics: [], replay: { state: 'moved', changed: 12, of: 12 } });
});
