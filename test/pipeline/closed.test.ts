import { expect, test } from 'vitest';
import { minute } from '../../shared/instant.ts';
import { job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

test('arguments of a schedule reach its run; what closes a job gives skipped rows and leaves its streak', async () => {
  const times = [
    '0 7 * * *", args: [--daily]',
    '2 7 * * *", args: [--late, "1"]',
    '4 7 * * *"',
    '6 7 * * *", args: [x]',
  ];
  const schedule = `[${times.map((one) => `{ cron: "${one} }`).join(', ')}]`;
  const blackouts = [{ from: '2026-11-20T07:03', to: '2026-11-20T07:04', why: 'the CRM moves' }];
  const holidays = { name: 'uk', weekend: [], days: { '2026-11-20': 'a holiday' } };
  const world = await World.inMemory(
    { ...job('score', { schedule }), closed: { calendars: [], blackouts } },
    { ...job('pull', { schedule }), closed: { calendars: [holidays], blackouts: [] } },
  );
  await world.pass(seven + 8 * minute);
  const rows = await world.rows('score');
  expect(rows.map(({ state, reasonCode, args }) => [state, reasonCode, args.join(' ')])).toEqual([
    ['succeeded', null, '--daily'],
    ['succeeded', null, '--late 1'],
    ['skipped', 'blackout', ''],
    ['succeeded', null, 'x'],
  ]);
  expect(await world.states('pull')).toEqual(Array(4).fill('skipped calendar'));
  const streaks = ['score', 'pull'].map(async (name) => (await world.store.jobs.get(name))?.value.streak);
  expect(await Promise.all(streaks)).toEqual([3, 0]);
  expect(world.platform.starts.map(({ command }) => command.slice(2))).toEqual([['--daily'], ['--late', '1'], ['x']]);
  expect(await world.leftovers()).toEqual([]);
});
