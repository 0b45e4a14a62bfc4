import { describe, expect, test } from 'vitest';
import { day, hour, iso, minute } from '../../shared/instant.ts';
import { argsOf, dueSlots } from '../../shared/run/due.ts';
import { everyMinute, job, seven } from '../support/pipeline/cast.ts';

const zone = 'Europe/London';
const one = (policy: string) => job('score', { schedule: `{ cron: "0 7 * * *", timeZone: ${zone}, ${policy} }` });
const away = { after: seven - 2 * day - hour, until: seven + hour + minute };
const late = seven + hour;
const reported = (due: ReturnType<typeof dueSlots>) => ({
  run: due.run.map(({ slot, late }) => `${iso(slot).slice(0, 10)}${late ? ' late' : ''}`),
  missed: due.missed.map(({ slot, code }) => `${iso(slot).slice(0, 10)} ${code}`),
});

describe('what is due after three mornings away', () => {
  test('latest: the last is run, the others are missed', () => {
    expect(reported(dueSlots(one('catchUp: latest'), away, late))).toEqual({
      run: ['2026-11-20 late'],
      missed: ['2026-11-18 outage', '2026-11-19 outage'],
    });
  });

  test('all: each is run, oldest first', () => {
    const { run, missed } = reported(dueSlots(one('catchUp: all'), away, late));
    expect(run).toEqual(['2026-11-18 late', '2026-11-19 late', '2026-11-20 late']);
    expect(missed).toEqual([]);
  });

  test('all with a limit: the newest are run, the rest is missed for the limit', () => {
    expect(reported(dueSlots(one('catchUp: all, catchUpLimit: 1'), away, late))).toEqual({
      run: ['2026-11-20 late'],
      missed: ['2026-11-18 catch-up-limit', '2026-11-19 catch-up-limit'],
    });
  });

  test('none: each is missed', () => {
    expect(reported(dueSlots(one('catchUp: none'), away, late)).run).toEqual([]);
    expect(dueSlots(one('catchUp: none'), away, late).missed).toHaveLength(3);
  });

  test('what can no longer start in time is missed for that, whatever the policy', () => {
    const { run, missed } = reported(dueSlots(one('catchUp: all, mustStartWithin: 2h'), away, late));
    expect(run).toEqual(['2026-11-20 late']);
    expect(missed).toEqual(['2026-11-18 start-within', '2026-11-19 start-within']);
    expect(reported(dueSlots(one('catchUp: latest, mustStartWithin: 30m'), away, late)).run).toEqual([]);
  });
});

test('a slot is on time until it is a minute and a half past, whatever the policy: no tick on a minute turns on some ms', () => {
  const stretch = { after: seven - hour, until: seven + hour };
  expect(reported(dueSlots(one('catchUp: none'), stretch, seven + 1.5 * minute - 1)).run).toEqual(['2026-11-20']);
  expect(reported(dueSlots(one('catchUp: none'), stretch, seven + 1.5 * minute)).missed).toEqual(['2026-11-20 outage']);
});

test('a stretch leaves out its start and takes in its end', () => {
  expect(dueSlots(one(''), { after: seven, until: seven + minute }, seven).run).toEqual([]);
  expect(dueSlots(one(''), { after: seven - minute, until: seven }, seven).run).toHaveLength(1);
  expect(dueSlots(one(''), { after: seven, until: seven }, seven)).toEqual({ run: [], missed: [] });
});

test('a run must start within its time from the slot on, and finish by the next such time on the wall', () => {
  const due = (cron: string, timeZone: string, by: string, at: number) => {
    const text = `{ cron: "${cron}", timeZone: ${timeZone}, mustStartWithin: 10m, mustFinishBy: "${by}" }`;
    const [slot] = dueSlots(job('x', { schedule: text }), { after: at - 1, until: at }, at).run;
    return slot && [slot.startBy, slot.finishBy].map((limit) => limit && iso(limit));
  };
  expect(due('0 7 * * *', zone, '07:45', seven)).toEqual(['2026-11-20T07:10:00Z', '2026-11-20T07:45:00Z']);
  const late = Date.UTC(2026, 10, 20, 23, 30);
  expect(due('30 23 * * *', zone, '00:15', late)?.[1]).toBe('2026-11-21T00:15:00Z');
  expect(due('0 7 * * *', zone, '07:00', seven)?.[1]).toBe('2026-11-21T07:00:00Z');
  const delhi = Date.UTC(2026, 10, 20, 18, 0);
  expect(due('30 23 * * *', 'Asia/Kolkata', '00:30', delhi)?.[1]).toBe('2026-11-20T19:00:00Z');
  // The night on which London's clock goes from 01:00 to 02:00: 01:30 comes not at all, and counts as right after.
  const spring = Date.UTC(2027, 2, 28, 0, 0);
  expect(due('0 0 * * *', zone, '01:30', spring)?.[1]).toBe('2027-03-28T01:00:00Z');
});

test('two schedules that meet at one instant are one run, that keeps the looser start and the tighter end', () => {
  const two = `[{ cron: "0 7 * * *", timeZone: ${zone}, mustStartWithin: 10m, mustFinishBy: "09:00" }, { cron: "0 7 * * 5", timeZone: ${zone}, mustStartWithin: 1h, mustFinishBy: "08:00" }]`;
  const stretch = { after: seven - hour, until: seven };
  const expected = [{ slot: seven, late: false, startBy: seven + hour, finishBy: seven + hour, args: [] }];
  const both = job('x', { schedule: two });
  expect(dueSlots(both, stretch, seven).run).toEqual(expected);
  expect(dueSlots({ ...both, schedules: [...both.schedules].reverse() }, stretch, seven).run).toEqual(expected);
});

test('a slot that one schedule has given up and another still wants is run', () => {
  const two = `[{ cron: "0 7 * * *", timeZone: ${zone}, catchUp: latest }, { cron: "0 7 * * 5", timeZone: ${zone}, catchUp: none }]`;
  const due = dueSlots(job('x', { schedule: two }), { after: seven - hour, until: late }, late);
  expect(reported(due)).toEqual({ run: ['2026-11-20 late'], missed: [] });
});

test('a year away of every minute is reported in a bounded number of rows, the oldest one standing for the rest', () => {
  const { run, missed } = dueSlots(
    job('x', { schedule: everyMinute }),
    { after: seven - 365 * day, until: seven + minute },
    seven,
  );
  expect(run.map(({ slot, late }) => [slot, late])).toEqual([
    [seven - 2 * minute, true],
    [seven - minute, false],
    [seven, false],
    [seven + minute, false],
  ]);
  expect(missed).toHaveLength(1_440);
  expect(missed[0]?.slots).toBe(365 * 24 * 60 + 1 - 1_439 - 4);
  expect(missed.reduce((sum, { slots }) => sum + slots, 0) + run.length).toBe(365 * 24 * 60 + 1);
});

test('a job without a schedule has nothing due', () => {
  expect(dueSlots(job('x'), away, late)).toEqual({ run: [], missed: [] });
});

describe('what closes a job', () => {
  const closed = {
    calendars: [{ name: 'uk', weekend: [], days: { '2026-11-20': 'a holiday' } }],
    blackouts: [{ from: '2026-11-18', to: '2026-11-18', why: 'the CRM moves' }],
  };
  const rows = (due: ReturnType<typeof dueSlots>) =>
    due.missed.map(({ slot, state, code }) => `${iso(slot).slice(0, 10)} ${state} ${code}`);

  test('makes its slots skipped rows, also those of the coming minute', () => {
    const due = dueSlots({ ...one('catchUp: all'), closed }, { after: seven - minute, until: seven }, seven - minute);
    expect(due.run).toEqual([]);
    expect(rows(due)).toEqual(['2026-11-20 skipped calendar']);
  });

  test('is not caught up after an outage: the latest is the latest that was expected', () => {
    const latest = dueSlots({ ...one('catchUp: latest'), closed }, away, late);
    expect(reported(latest).run).toEqual(['2026-11-19 late']);
    expect(rows(latest)).toEqual(['2026-11-18 skipped blackout', '2026-11-20 skipped calendar']);
    const limited = dueSlots({ ...one('catchUp: all, catchUpLimit: 1'), closed }, away, late);
    expect(reported(limited).run).toEqual(['2026-11-19 late']);
    expect(rows(dueSlots({ ...one('catchUp: none'), closed }, away, late))).toEqual([
      '2026-11-18 skipped blackout',
      '2026-11-19 missed outage',
      '2026-11-20 skipped calendar',
    ]);
  });

  test('does not keep back a slot that another zone of the job still wants', () => {
    const two = '[{ cron: "30 23 * * *", timeZone: UTC }, { cron: "30 8 * * *", timeZone: Asia/Tokyo }]';
    const half = seven + 16 * hour + 30 * minute;
    const due = dueSlots({ ...job('x', { schedule: two }), closed }, { after: half - minute, until: half }, half);
    expect(due.run).toHaveLength(1);
    expect(due.missed).toEqual([]);
  });
});

test('a slot carries the arguments of the schedule that names it, of the first where several do', () => {
  const two = `[{ cron: "0 7 * * *", timeZone: ${zone}, args: [daily] }, { cron: "5 7 * * *", timeZone: ${zone}, args: [--late, "1"] }]`;
  const { schedules } = job('x', { schedule: two });
  const due = dueSlots(job('x', { schedule: two }), { after: seven - 1, until: seven + hour }, seven);
  expect(due.run.map(({ args }) => args)).toEqual([['daily'], ['--late', '1']]);
  expect(argsOf(schedules, seven + 5 * minute)).toEqual(['--late', '1']);
  expect(argsOf(schedules, seven + 6 * minute)).toEqual(['daily']);
  expect(argsOf([], seven)).toEqual([]);
});
