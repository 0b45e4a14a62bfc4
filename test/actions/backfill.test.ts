import { expect, test } from 'vitest';
import { backfill, planBackfill } from '../../shared/actions/backfill.ts';
import { hour, minute } from '../../shared/instant.ts';
import { job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

test('a backfilled slot gets the arguments of the schedule that names it, then those of the person', async () => {
  const schedule = '[{ cron: "0 * * * *", args: [--hourly] }, { cron: "30 6 * * *", args: [--daily] }]';
  const world = await World.inMemory(job('score', { schedule, run: 'overlap: allow' }));
  const wanted = [seven - 2 * hour, seven - 30 * minute, seven - 7 * minute];
  const slots = await planBackfill(world.parts, 'score', wanted);
  const asked = { by: 'dana', why: 'a gap' };
  const runs = await backfill(world.parts, 'score', slots, ['--limit', '5'], asked, world.now);
  expect(runs.map(({ args }) => args.join(' '))).toEqual([
    '--hourly --limit 5',
    '--daily --limit 5',
    '--hourly --limit 5', // off the schedule: a date of --dates
  ]);
});
