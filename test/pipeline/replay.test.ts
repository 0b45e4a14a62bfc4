import { expect, test } from 'vitest';
import { isReplay } from '../../shared/run/run.ts';
import { answer, first, inputOf, noise, ReplayService, second } from '../support/drift/replays.ts';

test('a model that is swapped at day 200 is attributed to the model, and not to the data', async () => {
  const service = await ReplayService.of();
  await service.days(200);
  const quiet = await service.replays();
  expect(quiet).toHaveLength(200);
  expect(new Set(quiet.map(({ state }) => state))).toEqual(new Set(['still']));
  expect(await service.findings()).toEqual([]);

  Object.assign(service.scorer, { model: second, name: 'scorer-2' });
  await service.days(1);
  // The first run with it has said so, and the replays of that minute have said what it does.
  const [early] = await service.findings();
  expect(early).toMatchObject({
    state: 'open',
    signs: [],
    attribution: { verdict: 'early' },
    replay: { state: 'moved' },
  });
  expect(early?.sentence).toContain('12 of 12 frozen examples get another answer');
  expect(early?.sentence).toContain('the model changed from scorer-1 to scorer-2');

  await service.days(20);
  const found = (await service.findings()).filter(({ signs }) => signs.some(({ metric }) => metric === 'mean_score'));
  const about = { job: 'score', cause: 'drift', subject: found[0]?.id ?? '' } as const;
  expect((await service.world.store.incidents.get(about))?.value.text).toBe(found[0]?.sentence);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({
    attribution: { verdict: 'agent' },
    replay: { state: 'moved', changed: 12, of: 12 },
  });
  expect(found[0]?.attribution?.candidates[0]?.change?.text).toBe('the model changed from scorer-1 to scorer-2');
  expect(found[0]?.sentence).toContain(
    '12 of 12 frozen examples, whose input is always the same, now get a different answer',
  );
});

test('a model that is swapped behind a name that stays is not taken for a shift of the data', async () => {
  const service = await ReplayService.of({ name: undefined });
  await service.days(60);
  service.scorer.model = second;
  await service.days(20);
  const [found] = (await service.findings()).filter(({ signs }) => signs.length > 0);
  expect(found?.attribution?.verdict).toBe('agent');
  expect(found?.sentence).toContain(
    '12 of 12 frozen examples, whose input is always the same, now get a different answer',
  );
});

test('data that shift at day 200 while the model is fixed are attributed to the data, by replays', async () => {
  const service = await ReplayService.of();
  await service.days(200);
  service.scorer.data = (at) => 0.8 + (noise[at] ?? 0);
  await service.days(20);
  const [found] = (await service.findings()).filter(({ signs }) => signs.length > 0);
  expect(found).toMatchObject({ attribution: { verdict: 'inputs' }, replay: { state: 'still', changed: 0, of: 12 } });
  expect(found?.attribution?.candidates[0]?.change?.kind).toBe('input-profile');
  expect(found?.replay?.run).toMatch(/\.g$/);
});

test('results that move while replays and inputs are still are put down to what lies outside both', async () => {
  const service = await ReplayService.of();
  let table = 0;
  service.scorer.model = (x) => first(x) + table;
  service.answerTo = (name) => answer(first(inputOf(name)));
  await service.days(60);
  table = 0.2;
  await service.days(20);
  const [found] = (await service.findings()).filter(({ signs }) => signs.length > 0);
  expect(found?.attribution?.verdict).toBe('outside');
  expect(found?.sentence).toContain('look at what the job asks outside');
});

test('model and data that move together are both named', async () => {
  const service = await ReplayService.of();
  await service.days(60);
  Object.assign(service.scorer, { model: second, name: 'scorer-2', data: (at: number) => 0.8 + (noise[at] ?? 0) });
  await service.days(20);
  const [found] = (await service.findings()).filter(({ signs }) => signs.length > 0);
  expect(found?.attribution?.verdict).toBe('both');
});

test('replays fill no slot and count in nothing of the job', async () => {
  const service = await ReplayService.of();
  await service.days(20);
  const { store } = service.world;
  const rows = await service.world.rows('score');
  expect(rows).toHaveLength(20);
  expect(rows.some(isReplay)).toBe(false);
  const row = (await store.jobs.get('score'))?.value;
  expect(row).toMatchObject({ streak: 20, running: [], waiting: null });
  expect(row?.last?.id).toBe(rows.at(-1)?.id);
  const values = await store.metrics.list('score', 'run:duration_ms', 100);
  expect(values).toHaveLength(20);
  const listed: string[] = [];
  for await (const { run } of store.recent.list()) listed.push(run);
  expect(listed.filter((id) => isReplay({ id }))).toEqual([]);
  expect(await service.world.leftovers()).toEqual([]);
  expect((await service.replays()).length).toBeGreaterThan(15);
});
