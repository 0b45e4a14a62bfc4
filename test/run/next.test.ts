import { expect, test } from 'vitest';
import { day, iso, minute } from '../../shared/instant.ts';
import { comingSlots, expectedSlots, nextExpected } from '../../shared/run/next.ts';
import { everyMinute, job, seven } from '../support/pipeline/cast.ts';

const daily = (blackouts: { from: string; to: string; why: string }[]) => ({
  ...job('score', { schedule: '[{ cron: "0 7 * * *", args: [a] }, { cron: "0 9 * * *" }]' }),
  closed: { calendars: [], blackouts },
});
const freeze = { from: '2026-11-21', to: '2026-11-22T08:00', why: 'a freeze' };

test('slots to come say what their run gets and why they will be skipped', () => {
  const found = comingSlots(daily([freeze]), seven, 4);
  expect(found.map(({ at, args, closed }) => [iso(at).slice(0, 13), args.join(), closed !== null])).toEqual([
    ['2026-11-20T09', '', false],
    ['2026-11-21T07', 'a', true],
    ['2026-11-21T09', '', true],
    ['2026-11-22T07', 'a', true],
  ]);
  expect(found[1]?.closed).toContain('a freeze');
});

test('the next expected slot comes after what is closed, however many slots that takes', () => {
  expect(iso(nextExpected(daily([freeze]), seven + 3 * 60 * minute)?.at ?? 0)).toBe('2026-11-22T09:00:00Z');
  const often = job('x', { schedule: everyMinute });
  const closed = { calendars: [], blackouts: [{ from: '2026-11-20', to: '2026-11-20', why: 'a day' }] };
  expect(nextExpected({ ...often, closed }, Date.UTC(2026, 10, 20) - 1)?.at).toBe(Date.UTC(2026, 10, 21));
  const always = { calendars: [], blackouts: [{ from: '2000-01-01', to: '2100-01-01', why: 'for good' }] };
  expect(nextExpected({ ...often, closed: always }, seven + day)).toBeUndefined();
  expect(nextExpected(job('by-hand'), seven)).toBeUndefined();
});

test('the expected slots of a range leave out what is closed, and name each instant once', () => {
  const range = () => [seven, seven + 2 * day + 2 * 60 * minute] as const;
  const twice = { ...daily([freeze]), schedules: [...daily([]).schedules, ...daily([]).schedules] };
  expect(
    expectedSlots(twice, range)
      .sort((a, b) => a - b)
      .map((at) => iso(at).slice(0, 13)),
  ).toEqual(['2026-11-20T07', '2026-11-20T09', '2026-11-22T09']);
});
