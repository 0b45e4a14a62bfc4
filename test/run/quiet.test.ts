import { expect, test } from 'vitest';
import { hour, minute } from '../../shared/instant.ts';
import { isQuiet } from '../../shared/run/quiet.ts';
import { slotsBetween } from '../../shared/schedule/schedule.ts';
import { job, seven } from '../support/pipeline/cast.ts';

test('a job is quiet exactly when none of its schedules has a slot in the stretch, tick after tick', () => {
  const two = '[{ cron: "*/17 * * * *", timeZone: Asia/Kolkata }, { cron: "30 5 * * *", timeZone: UTC }]';
  const { schedules } = job('score', { schedule: two });
  let quiet = 0;
  for (let now = seven; now < seven + 26 * hour; now += minute + (now % 7)) {
    const [after, until] = [now, now + 1.5 * minute];
    const due = schedules.some(({ schedule }) => slotsBetween(schedule, after, until).length > 0);
    expect([now, isQuiet(schedules, after, until)]).toEqual([now, !due]);
    if (!due) quiet += 1;
  }
  expect(quiet).toBeGreaterThan(1_000);
});

test('what is remembered of later says nothing of before', () => {
  const { schedules } = job('score', { schedule: '{ cron: "0 7 * * *", timeZone: UTC }' });
  expect(isQuiet(schedules, seven, seven + minute)).toBe(true);
  expect(isQuiet(schedules, seven - minute, seven)).toBe(false);
  expect(isQuiet(schedules, seven - 10 * minute, seven - minute)).toBe(true);
});
