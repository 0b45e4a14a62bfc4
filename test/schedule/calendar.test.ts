import { describe, expect, it } from 'vitest';
import { hour, iso, minute } from '../../shared/instant.ts';
import { type Closed, open, whyClosed } from '../../shared/schedule/calendar.ts';
import { modelOf } from '../support/schedule/wall-model.ts';

const holidays: Closed = {
  calendars: [
    { name: 'uk', weekend: [], days: { '2026-12-25': 'Christmas Day' } },
    { name: 'week', weekend: ['saturday', 'sunday'], days: {} },
  ],
  blackouts: [],
};
const blackout = (from: string, to: string): Closed => ({ calendars: [], blackouts: [{ from, to, why: 'a freeze' }] });
const at = (text: string) => Date.parse(text);

describe('a calendar', () => {
  it('closes its days on the clock of the schedule', () => {
    expect(whyClosed(holidays, 'Europe/London', at('2026-12-25T07:00Z'))).toEqual({
      code: 'calendar',
      reason: '2026-12-25 is Christmas Day (calendar uk)',
    });
    // Still the 24th in New York, already the 25th in Tokyo.
    expect(whyClosed(holidays, 'America/New_York', at('2026-12-25T03:00Z'))).toBeUndefined();
    expect(whyClosed(holidays, 'Asia/Tokyo', at('2026-12-24T16:00Z'))?.code).toBe('calendar');
  });

  it('closes the weekend where it has one', () => {
    expect(whyClosed(holidays, 'UTC', at('2026-11-21T07:00Z'))?.reason).toBe(
      '2026-11-21 is a Saturday (calendar week)',
    );
    expect(whyClosed(holidays, 'UTC', at('2026-11-23T07:00Z'))).toBeUndefined();
  });

  it('that is not named closes nothing', () => {
    expect(whyClosed(open, 'UTC', at('2026-12-25T07:00Z'))).toBeUndefined();
  });
});

describe('a blackout', () => {
  it('takes in both of its ends, and says why', () => {
    const closed = blackout('2026-12-24T18:00', '2027-01-01');
    const shut = (text: string) => whyClosed(closed, 'Europe/London', at(text)) !== undefined;
    expect(shut('2026-12-24T17:59Z')).toBe(false);
    expect(shut('2026-12-24T18:00Z')).toBe(true);
    expect(shut('2027-01-01T23:59Z')).toBe(true);
    expect(shut('2027-01-02T00:00Z')).toBe(false);
    expect(whyClosed(closed, 'Europe/London', at('2026-12-25T00:00Z'))).toEqual({
      code: 'blackout',
      reason: 'blackout from 2026-12-24T18:00 to 2027-01-01: a freeze',
    });
  });

  it('of an hour that comes twice lasts for both of them', () => {
    const closed = blackout('2026-10-25T02:00', '2026-10-25T02:59');
    const minutes = Array.from({ length: 6 * 60 }, (_, index) => at('2026-10-24T22:00Z') + index * minute);
    const model = modelOf('Europe/Berlin', at('2026-10-01T00:00Z'), at('2026-11-01T00:00Z'));
    const shut = minutes.filter((one) => whyClosed(closed, 'Europe/Berlin', one));
    expect(shut).toEqual(minutes.filter((one) => new Date(model.wall(one)).getUTCHours() === 2));
    expect(shut).toHaveLength(120);
  });

  it('in an hour that never comes closes the slot that stands for it', () => {
    const closed = blackout('2026-03-29T02:15', '2026-03-29T02:45');
    const minutes = Array.from({ length: 6 * 60 }, (_, index) => at('2026-03-28T22:00Z') + index * minute);
    const shut = minutes.filter((one) => whyClosed(closed, 'Europe/Berlin', one)).map(iso);
    expect(shut).toEqual(['2026-03-29T01:00:00Z']);
  });

  it('of one day is as long as that day', () => {
    const hours = (zone: string, date: string) => {
      const start = at(`${date}T00:00Z`) - 15 * hour;
      const all = Array.from({ length: 54 }, (_, index) => start + index * hour);
      return all.filter((one) => whyClosed(blackout(date, date), zone, one)).length;
    };
    expect(hours('America/Santiago', '2026-04-04')).toBe(25);
    expect(hours('America/Santiago', '2026-09-06')).toBe(23);
    expect(hours('Pacific/Kiritimati', '2026-09-06')).toBe(24);
  });
});
