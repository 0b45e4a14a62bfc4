import { beforeAll, describe, expect, it } from 'vitest';
import { day, hour, iso, minute } from '../../shared/instant.ts';
import { wantedSlots } from '../../shared/run/wanted.ts';
import { open } from '../../shared/schedule/calendar.ts';
import { beginOf, endOf, isBackwards, parseLocalTime } from '../../shared/schedule/local-time.ts';
import { dueBy, parseSchedule, slotOnDate } from '../../shared/schedule/schedule.ts';
import { around, type Model, modelOf, models } from '../support/schedule/wall-model.ts';

/** Of a job's schedule, what is of no matter here. */
const limits = { catchUp: 'none', catchUpLimit: 1, mustStartWithinMs: null, mustFinishBy: null } as const;
const stamp = (wall: number) => new Date(wall).toISOString().slice(0, 16);
const time = (text: string) => parseLocalTime(text) ?? expect.fail(`${text} is no time`);
const begin = (text: string, zone: string) => iso(beginOf(time(text), zone));
const end = (text: string, zone: string) => iso(endOf(time(text), zone));

describe('a time on a clock that is put forward or back', () => {
  it('begins at its first reading and ends at its last', () => {
    expect(begin('2026-10-25T02:00', 'Europe/Berlin')).toBe('2026-10-25T00:00:00Z');
    expect(end('2026-10-25T02:59', 'Europe/Berlin')).toBe('2026-10-25T01:59:00Z');
  });

  it('that is skipped is the first instant after the gap, at both ends', () => {
    expect(begin('2026-03-29T02:30', 'Europe/Berlin')).toBe('2026-03-29T01:00:00Z');
    expect(end('2026-03-29T02:30', 'Europe/Berlin')).toBe('2026-03-29T01:00:00Z');
  });

  it('a day goes from its first to its last instant, also where the clock changes at midnight', () => {
    expect(begin('2026-09-06', 'America/Santiago')).toBe('2026-09-06T04:00:00Z');
    expect(end('2026-09-05', 'America/Santiago')).toBe('2026-09-06T03:59:59.999Z');
    // At 24:00 it is 23:00 again: the day has 25 hours.
    expect(end('2026-04-04', 'America/Santiago')).toBe('2026-04-05T03:59:59.999Z');
    expect(begin('2026-04-05', 'America/Santiago')).toBe('2026-04-05T04:00:00Z');
    // Samoa had no 30 December 2011: its slots ran at the first minute of the 31st.
    expect(begin('2011-12-30', 'Pacific/Apia')).toBe(end('2011-12-30', 'Pacific/Apia'));
  });

  it('with an offset is an instant, whatever the zone', () => {
    expect(begin('2026-10-25T02:30+01:00', 'Asia/Tokyo')).toBe('2026-10-25T01:30:00Z');
    expect(end('2026-10-25 02:30Z', 'Asia/Tokyo')).toBe('2026-10-25T02:30:00Z');
  });

  it('of a day whose last hour is skipped belongs to that day, in a range as well', () => {
    const nuuk = (from: string, to: string, cron = '30 23 * * *') => {
      const job = { schedules: [{ ...limits, args: [], schedule: parseSchedule(cron, 'America/Nuuk') }], closed: open };
      const wanted = { from: time(from), to: time(to) };
      return isBackwards(wanted.from, wanted.to, 'America/Nuuk') ? 'backwards' : wantedSlots(job, wanted).map(iso);
    };
    expect(nuuk('2026-03-28', '2026-03-28')).toEqual(['2026-03-29T01:00:00Z']);
    expect(nuuk('2026-03-29', '2026-03-29')).toEqual(['2026-03-30T00:30:00Z']);
    expect(nuuk('2026-03-28T23:00', '2026-03-28')).toEqual(['2026-03-29T01:00:00Z']);
    expect(nuuk('2026-03-29T00:00', '2026-03-28')).toBe('backwards');
    expect(nuuk('2026-03-29T01:01Z', '2026-03-28')).toBe('backwards');
    // One slot for a time of each of the two days is of both; one that follows the clock stands for no other time.
    expect(nuuk('2026-03-28T22:00', '2026-03-28', '0 0,23 * * *')).toEqual(['2026-03-29T01:00:00Z']);
    expect(nuuk('2026-03-29', '2026-03-29T12:00', '0 0,23 * * *')).toEqual(['2026-03-29T01:00:00Z']);
    expect(nuuk('2026-03-28T22:00', '2026-03-28', '0 * * * *')).toEqual(['2026-03-29T00:00:00Z']);
  });

  it.each([
    '2026-02-29',
    '2026-13-01',
    '2026-1-1',
    '2026-11-20T24:00',
    '2026-11-20T07:60',
    '2026-11-20T07',
    'today',
    '',
    '2026-11-20T07:00+25:00',
    '2026-11-20T07:00+01:75',
  ])('%j is no time', (text) => {
    expect(parseLocalTime(text)).toBeUndefined();
  });
});

describe('every zone and every change of a clock from 2015 to 2030, against a model that walks the minutes', () => {
  let all: Model[] = [];
  /** Zones that share all of their changes are one. */
  let different: Model[] = [];
  beforeAll(() => {
    all = models(Date.UTC(2014, 11, 1), Date.UTC(2031, 0, 31));
    different = [
      ...new Map(
        all.map((one) => [JSON.stringify([one.changes, one.wall(0), one.changes.map(one.wall)]), one]),
      ).values(),
    ];
  });

  it('knows more than 400 zones with some thousand changes', () => {
    expect(all.length).toBeGreaterThan(400);
    expect(all.reduce((sum, { changes }) => sum + changes.length, 0)).toBeGreaterThan(3_000);
  });

  it('days begin and end where the model sees them begin and end', () => {
    const wrong: string[] = [];
    for (const model of different) {
      for (const change of model.changes) {
        const minutes = around(model, change);
        const dates = minutes.map(({ wall }) => Math.floor(wall / day));
        const middle = Math.floor(model.wall(change - minute) / day);
        for (const date of [middle - 1, middle, middle + 1]) {
          const [first, last] = [dates.indexOf(date), dates.lastIndexOf(date)];
          // Days that begin or end beyond these minutes are left out.
          if (first <= 0 || last + 1 >= minutes.length) continue;
          const text = time(stamp(date * day).slice(0, 10));
          const found = [beginOf(text, model.zone), endOf(text, model.zone)];
          const expected = [minutes[first]?.at, (minutes[last]?.at ?? 0) + minute - 1];
          if (found[0] !== expected[0] || found[1] !== expected[1]) wrong.push(`${model.zone} ${stamp(date * day)}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 240_000);

  it('times begin at their first and end at their last reading; those that are skipped, after the gap', () => {
    const wrong: string[] = [];
    for (const model of different) {
      for (const change of model.changes) {
        const minutes = around(model, change);
        const [low, high] = [model.wall(change - minute), model.wall(change)];
        const [from, to] = [Math.min(low, high) - 70 * minute, Math.max(low, high) + 70 * minute];
        for (let wall = from; wall <= to; wall += 5 * minute) {
          const readings = minutes.filter((one) => one.wall === wall);
          const first = readings[0]?.at ?? change;
          const last = readings.at(-1)?.at ?? change;
          const text = time(stamp(wall));
          if (beginOf(text, model.zone) !== first || endOf(text, model.zone) !== last) {
            wrong.push(`${model.zone} ${stamp(wall)}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 240_000);

  it('a range of days has the slots of their times: those that the clock skips run after the gap, of their own day', () => {
    const wrong: string[] = [];
    const old = ([zone, year]: [string, number]) => modelOf(zone, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 31));
    const years: [string, number][] = [
      ['Asia/Dhaka', 2009],
      ['Pacific/Apia', 2011],
      ['Pacific/Fakaofo', 2011],
    ];
    const crons = ['30 23 * * *', '0 0 * * *', '0,30 0,23 * * *', '45 0-23 * * *', '*/30 * * * *', '15 * * * *'];
    for (const model of [...different, ...years.map(old)]) {
      for (const change of model.changes) {
        const minutes = around(model, change);
        const [low, high] = [minutes[0], minutes.at(-1)].map((one) => Math.floor((one?.wall ?? 0) / day));
        const first = new Map(minutes.toReversed().map(({ at, wall }) => [wall, at]));
        for (const cron of crons) {
          const schedule = parseSchedule(cron, model.zone);
          const { hours, minutes: past, followsClock } = schedule.fields;
          const job = { schedules: [{ ...limits, args: [], schedule }], closed: open };
          const shown = minutes.filter(({ wall }) => past.includes((wall / minute) % 60));
          for (let date = (low ?? 0) + 1; date < (high ?? 0); date += 1) {
            const text = stamp(date * day).slice(0, 10);
            const walls = hours.flatMap((h) => past.map((m) => date * day + h * hour + m * minute));
            const expected = followsClock
              ? shown.filter(({ wall }) => Math.floor(wall / day) === date).map(({ at }) => at)
              : [...new Set(walls.map((wall) => first.get(wall) ?? change))];
            const found = wantedSlots(job, { from: time(text), to: time(text) });
            if (found.join() !== expected.join()) wrong.push(`${model.zone} ${text} ${cron}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 240_000);

  it('mustFinishBy is the next reading of its time after the slot', () => {
    const wrong: string[] = [];
    const clocks = ['00:00', '00:30', '01:00', '01:30', '02:00', '02:15', '03:00', '12:00', '23:30'];
    for (const model of different) {
      const schedule = parseSchedule('* * * * *', model.zone);
      for (const change of model.changes) {
        const minutes = around(model, change);
        for (const back of [-180, -60, -1, 0, 15, 59, 61, 180]) {
          const slot = change + back * minute;
          const at = model.wall(slot);
          for (const clock of clocks) {
            const sameDay = Date.parse(`${stamp(at).slice(0, 10)}T${clock}Z`);
            const limit = sameDay > at ? sameDay : sameDay + day;
            const expected = minutes.find((one) => one.at > slot && one.wall >= limit)?.at;
            if (dueBy(schedule, slot, clock) !== expected) wrong.push(`${model.zone} ${iso(slot)} ${clock}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 240_000);

  it('a date of --dates has its slot at the first reading of the time, or after the gap', () => {
    const wrong: string[] = [];
    for (const model of different) {
      for (const change of model.changes) {
        const minutes = around(model, change);
        const low = Math.min(model.wall(change - minute), model.wall(change));
        for (let wall = low - 60 * minute; wall <= low + 120 * minute; wall += 15 * minute) {
          const [h, m] = [new Date(wall).getUTCHours(), new Date(wall).getUTCMinutes()];
          const found = slotOnDate(parseSchedule(`${m} ${h} * * *`, model.zone), stamp(wall).slice(0, 10));
          if (found !== (minutes.find((one) => one.wall === wall)?.at ?? change))
            wrong.push(`${model.zone} ${stamp(wall)}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 240_000);
});

describe('mustFinishBy near a change of the clock', () => {
  const berlin = (cron: string) => parseSchedule(cron, 'Europe/Berlin');
  const by = (cron: string, slot: string, clock: string) => iso(dueBy(berlin(cron), Date.parse(slot), clock));

  it('is on the second pass for a slot of the second pass', () => {
    expect(by('0 * * * *', '2026-10-25T01:00Z', '02:30')).toBe('2026-10-25T01:30:00Z');
  });

  it('before the time of the slot is on the next day, although the clock reads it once more on this one', () => {
    expect(by('10 2 * * *', '2026-10-25T00:10Z', '02:05')).toBe('2026-10-26T01:05:00Z');
  });

  it('in the gap that took the slot away too keeps its distance', () => {
    expect(by('30 2 * * *', '2026-03-29T01:00Z', '02:45')).toBe('2026-03-29T01:15:00Z');
    expect(by('30 2 * * *', '2026-03-29T01:00Z', '03:00')).toBe('2026-03-29T01:30:00Z');
    expect(by('30 2 * * *', '2026-03-29T01:00Z', '04:00')).toBe('2026-03-29T02:00:00Z');
    expect(by('0 3 * * *', '2026-03-29T01:00Z', '02:45')).toBe('2026-03-30T00:45:00Z');
  });

  it('is some time later than the slot, and at most a day and an hour', () => {
    for (let slot = Date.parse('2026-03-28T12:00Z'); slot < Date.parse('2026-03-30T12:00Z'); slot += hour) {
      for (const clock of ['02:00', '02:30', '03:00']) {
        const after = dueBy(berlin('0 * * * *'), slot, clock) - slot;
        expect(after).toBeGreaterThan(0);
        expect(after).toBeLessThanOrEqual(25 * hour);
      }
    }
  });
});
