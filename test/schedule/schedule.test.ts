import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { day, type Instant, minute } from '../../shared/instant.ts';
import { countSlots, latestSlot, nextSlots, parseSchedule, slotsBetween } from '../../shared/schedule/schedule.ts';

interface Case {
  cron: string;
  timeZone: string;
  after: string;
  count: number;
  expect: string[];
}

// Derived by fixtures/derive_schedule_cases.py, which shares nothing with the code under test.
const cases: Case[] = JSON.parse(readFileSync(new URL('../fixtures/schedule-cases.json', import.meta.url), 'utf8'));
const at = (text: string): Instant => Date.parse(text);
const text = (instant: Instant) => new Date(instant).toISOString().replace(':00.000Z', 'Z');

/** Mulberry32: the same numbers on every machine. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

describe('the table derived by playing cron minute by minute', () => {
  it('has at least 200 cases', () => expect(cases.length).toBeGreaterThanOrEqual(200));

  it('holds for every case, slot by slot', () => {
    const wrong = cases.flatMap((row) => {
      const slots = nextSlots(parseSchedule(row.cron, row.timeZone), at(row.after), row.count).map(text);
      return slots.join() === row.expect.join() ? [] : [{ ...row, slots }];
    });
    expect(wrong).toEqual([]);
  });

  it('holds for windows too: between, latest and count agree with it', () => {
    for (const row of cases) {
      const schedule = parseSchedule(row.cron, row.timeZone);
      const [after, until] = [at(row.after), at(row.expect.at(-1) ?? '')];
      const where = `${row.cron} ${row.timeZone} ${row.after}`;
      expect(slotsBetween(schedule, after, until).map(text), where).toEqual(row.expect);
      expect(countSlots(schedule, after, until), where).toBe(row.count);
      expect(text(latestSlot(schedule, after, until) ?? Number.NaN), where).toBe(row.expect.at(-1));
      expect(text(latestSlot(schedule, after, until - 1) ?? at('1970-01-01')), where).toBe(
        row.expect.at(-2) ?? '1970-01-01T00:00Z',
      );
    }
  });
});

describe('properties, on 300 random schedules around clock changes', () => {
  const random = randomFrom(20261120);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const samples = Array.from({ length: 300 }, () => {
    const row = pick(cases);
    const minutes = pick(['*', '*/7', '0', '30', '5-50/15', '0,30,59', '1-59/2']);
    const hours = pick(['*', '*/2', '0', '2', '1-3', '0,1,2,3,23', '7']);
    const cron = `${minutes} ${hours} ${pick(['*', '*', 'L', '1,15', '*/2'])} * ${pick(['*', '*', '1-5', 'SUN', 'SUNL'])}`;
    const after = at(row.after) + random(2 * 1440) * minute;
    return {
      cron,
      schedule: parseSchedule(cron, row.timeZone),
      after,
      until: after + (1 + random(40 * 1440)) * minute,
    };
  });

  it('a window holds exactly the slots that asking one by one gives, strictly ascending', () => {
    let total = 0;
    for (const { cron, schedule, after, until } of samples) {
      const slots = slotsBetween(schedule, after, until);
      total += slots.length;
      const oneByOne: Instant[] = [];
      for (let from = after; oneByOne.length < 60; ) {
        const [next] = nextSlots(schedule, from, 1);
        if (next === undefined || next > until) break;
        oneByOne.push(next);
        from = next;
      }
      expect(slots.slice(0, 60), cron).toEqual(oneByOne);
      expect(
        slots.every((slot, i) => slot > (slots[i - 1] ?? after) && slot <= until),
        cron,
      ).toBe(true);
    }
    expect(total).toBeGreaterThan(10_000);
  });

  it('cutting a window in two loses and doubles nothing, wherever the cut is', () => {
    for (const { cron, schedule, after, until } of samples) {
      const cut = after + random(until - after);
      const parts = [...slotsBetween(schedule, after, cut), ...slotsBetween(schedule, cut, until)];
      expect(parts, cron).toEqual(slotsBetween(schedule, after, until));
    }
  });

  it('the newest slot and the number of slots are those of the list', () => {
    for (const { cron, schedule, after, until } of samples) {
      const slots = slotsBetween(schedule, after, until);
      expect(latestSlot(schedule, after, until), cron).toBe(slots.at(-1));
      expect(countSlots(schedule, after, until), cron).toBe(slots.length);
      expect(slotsBetween(schedule, after, until, 3), cron).toEqual(slots.slice(0, 3));
    }
  });
});

describe('the borders of a window', () => {
  const hourly = parseSchedule('@hourly', 'UTC');

  it('the beginning is outside, the end is inside, to the millisecond', () => {
    const [one, two] = [at('2026-01-01T01:00Z'), at('2026-01-01T02:00Z')];
    expect(slotsBetween(hourly, one, two)).toEqual([two]);
    expect(slotsBetween(hourly, one - 1, two - 1)).toEqual([one]);
    expect(slotsBetween(hourly, one - 0.5, one)).toEqual([one]);
    expect(latestSlot(hourly, one, two - 1)).toBeUndefined();
  });

  it('an empty or backward window holds nothing', () => {
    const one = at('2026-01-01T01:00Z');
    for (const until of [one, one - day]) {
      expect(slotsBetween(hourly, one, until)).toEqual([]);
      expect(countSlots(hourly, one, until)).toBe(0);
      expect(latestSlot(hourly, one, until)).toBeUndefined();
    }
    expect(nextSlots(hourly, one, 0)).toEqual([]);
  });

  it('slots end with the year 9999, and fewer are given than were asked for', () => {
    const yearly = parseSchedule('59 23 31 12 *', 'UTC');
    expect(nextSlots(yearly, at('9997-12-31T23:59Z'), 5).map(text)).toEqual(['9998-12-31T23:59Z', '9999-12-31T23:59Z']);
    expect(nextSlots(yearly, at('9999-12-31T23:59Z'), 1)).toEqual([]);
    expect(nextSlots(parseSchedule('0 0 29 2 *', 'UTC'), at('9996-03-01T00:00Z'), 1)).toEqual([]);
    expect(nextSlots(yearly, Number.POSITIVE_INFINITY, 1)).toEqual([]);
  });

  it('the newest slot is found however far back the window begins', () => {
    const rare = parseSchedule('0 0 29 2 */7', 'Asia/Tokyo');
    expect(text(latestSlot(rare, Number.NEGATIVE_INFINITY, at('2070-01-01T00:00Z')) ?? 0)).toBe('2060-02-28T15:00Z');
  });

  it('a year of minutes is counted exactly, both clock changes included', () => {
    const [after, until] = [at('2025-12-31T23:00Z') - 1, at('2026-12-31T23:00Z') - 1];
    expect(countSlots(parseSchedule('* * * * *', 'Europe/Paris'), after, until)).toBe(365 * 1440);
    // Fixed times: 02:00 of the gap still comes, 02:00 of the overlap comes once.
    expect(countSlots(parseSchedule('0 2 * * *', 'Europe/Paris'), after, until)).toBe(365);
    expect(countSlots(parseSchedule('0,30 2 * * *', 'Europe/Paris'), after, until)).toBe(729);
  });

  it('what is no instant is refused, not searched for ever', () => {
    expect(() => nextSlots(hourly, Number.NaN, 1)).toThrow('slots from NaN to');
    expect(() => countSlots(hourly, 0, Number.NaN)).toThrow('expected milliseconds since 1970');
  });
});
