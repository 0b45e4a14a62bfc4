import { describe, expect, it } from 'vitest';
import { type Instant, minute } from '../../shared/instant.ts';
import { previewSlots } from '../../shared/schedule/note.ts';
import { clockChanges, localText, nextSlots, parseSchedule, slotOnDate } from '../../shared/schedule/schedule.ts';

const at = (text: string): Instant => Date.parse(`${text}Z`);
const text = (instant: Instant) => new Date(instant).toISOString().slice(0, 16);

describe('the preview says what a clock change does to a job', () => {
  const notes = (cron: string, timeZone: string, after: string, count = 3) =>
    previewSlots(parseSchedule(cron, timeZone), at(after), count).map((slot) => slot.note);

  it('a time in the gap: when it runs instead', () => {
    expect(notes('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00')).toEqual([
      undefined,
      '02:30 does not exist on this day: runs at 03:00',
      undefined,
    ]);
  });

  it('several times in the gap: that they run once', () => {
    expect(notes('0,30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00', 1)).toEqual([
      '02:00 and 02:30 do not exist on this day: runs once at 03:00',
    ]);
    expect(notes('5-59/5 2 * * *', 'Europe/Berlin', '2026-03-28T12:00', 1)).toEqual([
      '02:05 to 02:55 do not exist on this day: runs once at 03:00',
    ]);
  });

  it('a lost date is named', () => {
    expect(notes('0 12 30 12 *', 'Pacific/Apia', '2011-12-01T00:00', 1)).toEqual([
      '2011-12-30 12:00 does not exist: runs at 2011-12-31 00:00',
    ]);
  });

  it('a time that comes twice: which one runs', () => {
    expect(notes('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00', 2)).toEqual([
      '02:30 comes twice on this day: runs the first time',
      undefined,
    ]);
    expect(notes('30 * * * *', 'Europe/Berlin', '2026-10-25T00:00')).toEqual([
      '02:30 comes twice on this day: runs both times',
      '02:30 comes twice on this day: this is the second time',
      undefined,
    ]);
  });

  it('slots that only happen to lie at a change have no note', () => {
    expect(notes('0 3 * * *', 'Europe/Berlin', '2026-03-28T12:00', 1)).toEqual([undefined]);
    expect(notes('0 3 * * *', 'Europe/Berlin', '2026-10-24T12:00', 1)).toEqual([undefined]);
    expect(notes('0 * * * *', 'Europe/Berlin', '2026-03-29T00:30', 1)).toEqual([undefined]);
    expect(notes('30 2,3 * * *', 'Europe/Berlin', '2026-03-29T01:00', 1)).toEqual([undefined]);
  });

  it('has the same slots as the schedule itself', () => {
    const schedule = parseSchedule('0,30 1-3 * * *', 'Europe/Berlin');
    const after = at('2026-03-28T12:00');
    expect(previewSlots(schedule, after, 20).map((slot) => slot.at)).toEqual(nextSlots(schedule, after, 20));
  });
});

describe('the slot on a date of a person’s choice', () => {
  const on = (cron: string, timeZone: string, date: string) =>
    localText(timeZone, slotOnDate(parseSchedule(cron, timeZone), date));

  it('has the time of day and ignores the day and month fields', () => {
    expect(on('45 6,18 1 1 MON', 'Europe/London', '2026-07-08')).toBe('2026-07-08T06:45:00+01:00');
    expect(on('*/20 * * * *', 'Asia/Kolkata', '2024-02-29')).toBe('2024-02-29T00:00:00+05:30');
  });

  it('obeys the clock changes: after the gap, the first time of the overlap', () => {
    expect(on('30 2 * * *', 'Europe/Berlin', '2026-03-29')).toBe('2026-03-29T03:00:00+02:00');
    expect(on('30 2 * * *', 'Europe/Berlin', '2026-10-25')).toBe('2026-10-25T02:30:00+02:00');
    expect(on('0 12 * * *', 'Pacific/Apia', '2011-12-30')).toBe('2011-12-31T00:00:00+14:00');
  });

  it('that follows the clock takes the first time that exists, or the first minute after the gap', () => {
    expect(on('30 * * * *', 'America/Sao_Paulo', '2018-11-04')).toBe('2018-11-04T01:30:00-02:00');
    expect(on('*/15 0 * * *', 'America/Sao_Paulo', '2018-11-04')).toBe('2018-11-04T01:00:00-02:00');
  });

  it.each([
    '2026-02-30',
    '2026-13-01',
    '26-01-01',
    '2026-1-1',
    '',
    '2026-01-01T00:00',
    '0000-01-01',
  ])('refuses "%s"', (date) => {
    expect(() => slotOnDate(parseSchedule('@daily', 'UTC'), date)).toThrow(
      `date "${date}" does not exist, expected YYYY-MM-DD`,
    );
  });
});

describe('clock changes and local time', () => {
  it('lists each change with its offsets in minutes, the end of the range included', () => {
    const [spring, autumn] = [at('2026-03-29T01:00'), at('2026-10-25T01:00')];
    const changes = [
      { at: spring, fromOffset: 60, toOffset: 120 },
      { at: autumn, fromOffset: 120, toOffset: 60 },
    ];
    expect(clockChanges('Europe/Berlin', at('2026-01-01T00:00'), at('2026-12-31T00:00'))).toEqual(changes);
    expect(clockChanges('Europe/Berlin', spring - 1, autumn)).toEqual(changes);
    expect(clockChanges('Europe/Berlin', spring, autumn - 1)).toEqual([]);
    expect(clockChanges('Europe/Berlin', autumn, spring)).toEqual([]);
    expect(clockChanges('UTC', 0, autumn)).toEqual([]);
  });

  it('finds changes twelve and seven days apart, of half an hour, and of a day', () => {
    const offsets = (timeZone: string, from: string, to: string) =>
      clockChanges(timeZone, at(from), at(to)).map((change) => [text(change.at), change.toOffset - change.fromOffset]);
    expect(offsets('America/Argentina/Tucuman', '2004-05-01T00:00', '2004-07-01T00:00')).toEqual([
      ['2004-06-01T03:00', -60],
      ['2004-06-13T04:00', 60],
    ]);
    expect(offsets('America/Recife', '2000-09-01T00:00', '2000-12-01T00:00')).toEqual([
      ['2000-10-08T03:00', 60],
      ['2000-10-15T02:00', -60],
    ]);
    expect(offsets('Australia/Lord_Howe', '2024-09-01T00:00', '2024-12-01T00:00')).toEqual([['2024-10-05T15:30', 30]]);
    expect(offsets('Pacific/Apia', '2011-12-01T00:00', '2012-01-31T00:00')).toEqual([['2011-12-30T10:00', 1440]]);
    // A change at the very moment the UTC year ends.
    expect(offsets('Asia/Singapore', '1981-12-01T00:00', '1982-02-01T00:00')).toEqual([['1981-12-31T16:00', 30]]);
  });

  it('writes local time with its offset', () => {
    expect(localText('Europe/Berlin', at('2026-03-29T00:59'))).toBe('2026-03-29T01:59:00+01:00');
    expect(localText('Europe/Berlin', at('2026-03-29T01:00'))).toBe('2026-03-29T03:00:00+02:00');
    expect(localText('UTC', at('2026-03-29T01:00'))).toBe('2026-03-29T01:00:00+00:00');
    expect(localText('America/St_Johns', at('2026-01-01T00:00'))).toBe('2025-12-31T20:30:00-03:30');
    expect(localText('Asia/Kathmandu', at('2026-01-01T00:00') + 1234)).toBe('2026-01-01T05:45:01+05:45');
  });

  it('agrees with the platform in the far future, where whole centuries are looked up in an earlier one', () => {
    for (const year of [2499, 2500, 2899, 2900, 5000, 9999]) {
      for (const timeZone of ['America/New_York', 'Australia/Lord_Howe', 'Europe/Dublin', 'Africa/Cairo']) {
        const clock = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
        for (let month = 0; month < 12; month++) {
          const moment = Date.UTC(year, month, 26, 13, 30);
          expect(localText(timeZone, moment).slice(0, 19).replace('T', ' '), timeZone).toBe(clock.format(moment));
        }
        for (const change of clockChanges(timeZone, Date.UTC(year, 1, 1), Date.UTC(year, 11, 1))) {
          expect(clock.format(change.at - minute), timeZone).not.toBe(clock.format(change.at - 1));
          const shown = Date.parse(`${clock.format(change.at).replace(' ', 'T')}Z`) - change.at;
          expect(shown / minute, timeZone).toBe(change.toOffset);
        }
      }
    }
  });
});
