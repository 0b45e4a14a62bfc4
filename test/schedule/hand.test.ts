import { describe, expect, it } from 'vitest';
import type { Instant } from '../../shared/instant.ts';
import { nextSlots, parseSchedule } from '../../shared/schedule/schedule.ts';

const at = (text: string): Instant => Date.parse(`${text}Z`);
const text = (instant: Instant) => new Date(instant).toISOString().slice(0, 16);

// Worked out by hand from known dates; instants in UTC, local time and reason beside them.
const byHand: [title: string, cron: string, timeZone: string, after: string, expect: string[]][] = [
  // London: UTC until 29 March 2026, an hour ahead from then on; 27 March is a Friday.
  [
    'the reference job starts at 07:00 local before and after summer time begins',
    '0 7 * * 1-5',
    'Europe/London',
    '2026-03-26T12:00',
    ['2026-03-27T07:00', '2026-03-30T06:00', '2026-03-31T06:00'],
  ],
  // Berlin: 02:00 → 03:00 at 01:00 UTC on 29 March 2026.
  [
    '02:30 in the gap runs at 03:00',
    '30 2 * * *',
    'Europe/Berlin',
    '2026-03-28T12:00',
    ['2026-03-29T01:00', '2026-03-30T00:30'],
  ],
  [
    'the first lost minute runs at 03:00',
    '0 2 * * *',
    'Europe/Berlin',
    '2026-03-28T12:00',
    ['2026-03-29T01:00', '2026-03-30T00:00'],
  ],
  [
    'the last lost minute runs at 03:00',
    '59 2 * * *',
    'Europe/Berlin',
    '2026-03-28T12:00',
    ['2026-03-29T01:00', '2026-03-30T00:59'],
  ],
  [
    'the minute before the gap is untouched',
    '59 1 * * *',
    'Europe/Berlin',
    '2026-03-28T12:00',
    ['2026-03-29T00:59', '2026-03-29T23:59'],
  ],
  [
    'two lost times run once',
    '0,30 2 * * *',
    'Europe/Berlin',
    '2026-03-28T12:00',
    ['2026-03-29T01:00', '2026-03-30T00:00'],
  ],
  [
    'a lost time and a regular one at the same instant run once',
    '0 2,3 * * *',
    'Europe/Berlin',
    '2026-03-28T12:00',
    ['2026-03-29T01:00', '2026-03-30T00:00', '2026-03-30T01:00'],
  ],
  // Stars follow the clock: 01:45, then 03:00.
  [
    'every 15 minutes goes on without a make-up run',
    '*/15 * * * *',
    'Europe/Berlin',
    '2026-03-29T00:40',
    ['2026-03-29T00:45', '2026-03-29T01:00', '2026-03-29T01:15'],
  ],
  [
    'a star in the minute alone follows the clock too: nothing runs for the lost hour',
    '*/30 2 * * *',
    'Europe/Berlin',
    '2026-03-28T12:00',
    ['2026-03-30T00:00', '2026-03-30T00:30'],
  ],
  [
    'a stepped star in the hour follows the clock: 02:30 is left out',
    '30 */2 * * *',
    'Europe/Berlin',
    '2026-03-28T23:00',
    ['2026-03-28T23:30', '2026-03-29T02:30'],
  ],
  // Berlin: 03:00 → 02:00 at 01:00 UTC on 25 October 2026; 02:30 is 00:30 and 01:30 UTC.
  [
    '02:30 of the overlap runs the first time only',
    '30 2 * * *',
    'Europe/Berlin',
    '2026-10-24T12:00',
    ['2026-10-25T00:30', '2026-10-26T01:30'],
  ],
  [
    'asked between the two passes, it does not run again',
    '30 2 * * *',
    'Europe/Berlin',
    '2026-10-25T01:00',
    ['2026-10-26T01:30'],
  ],
  [
    'hourly runs in both passes',
    '30 * * * *',
    'Europe/Berlin',
    '2026-10-25T00:00',
    ['2026-10-25T00:30', '2026-10-25T01:30', '2026-10-25T02:30'],
  ],
  [
    '03:00 after the overlap runs once',
    '0 3 * * *',
    'Europe/Berlin',
    '2026-10-24T12:00',
    ['2026-10-25T02:00', '2026-10-26T02:00'],
  ],
  // New York: gap 02:00–03:00 at 07:00 UTC on 8 March 2026, overlap 01:00–02:00 at 06:00 UTC on 1 November 2026.
  [
    '02:30 in New York runs at 03:00',
    '30 2 * * *',
    'America/New_York',
    '2026-03-07T12:00',
    ['2026-03-08T07:00', '2026-03-09T06:30'],
  ],
  [
    '01:30 in New York runs the first time',
    '30 1 * * *',
    'America/New_York',
    '2026-10-31T12:00',
    ['2026-11-01T05:30', '2026-11-02T06:30'],
  ],
  // Lord Howe moves by half an hour: 02:00 → 02:30 at 15:30 UTC on 5 October 2024 (+10:30 → +11).
  [
    'a gap of half an hour',
    '15 2 * * *',
    'Australia/Lord_Howe',
    '2024-10-05T00:00',
    ['2024-10-05T15:30', '2024-10-06T15:15'],
  ],
  [
    'after half an hour 02:30 is no longer lost',
    '45 2 * * *',
    'Australia/Lord_Howe',
    '2024-10-05T00:00',
    ['2024-10-05T15:45', '2024-10-06T15:45'],
  ],
  // São Paulo: 00:00 → 01:00 at 03:00 UTC on 4 November 2018; that date began at 01:00.
  [
    'midnight itself is lost: @daily runs at 01:00',
    '@daily',
    'America/Sao_Paulo',
    '2018-11-03T12:00',
    ['2018-11-04T03:00', '2018-11-05T02:00'],
  ],
  // São Paulo: 00:00 → 23:00 on 18 February 2018 at 02:00 UTC: 17 February has two 23:30.
  [
    'an overlap before midnight runs once on its date',
    '30 23 * * *',
    'America/Sao_Paulo',
    '2018-02-17T12:00',
    ['2018-02-18T01:30', '2018-02-19T02:30'],
  ],
  [
    'the date after such an overlap begins once',
    '0 0 18 2 *',
    'America/Sao_Paulo',
    '2018-02-01T00:00',
    ['2018-02-18T03:00', '2019-02-18T03:00'],
  ],
  // Beirut: 00:00 → 01:00 at 22:00 UTC on 26 March 2022.
  ['midnight lost in Beirut', '0 0 * * *', 'Asia/Beirut', '2022-03-26T12:00', ['2022-03-26T22:00', '2022-03-27T21:00']],
  // Apia skipped 30 December 2011: 29 December ends at 10:00 UTC on the 30th (−10), the 31st begins there (+14).
  [
    'a whole lost date runs once when the next begins',
    '0 12 * * *',
    'Pacific/Apia',
    '2011-12-29T12:00',
    ['2011-12-29T22:00', '2011-12-30T10:00', '2011-12-30T22:00'],
  ],
  [
    '30 December in Apia runs on the 31st at 00:00',
    '0 12 30 12 *',
    'Pacific/Apia',
    '2011-01-01T00:00',
    ['2011-12-30T10:00', '2012-12-29T22:00'],
  ],
  ['hourly in Apia knows no 30 December', '0 * 30 12 *', 'Pacific/Apia', '2011-12-01T00:00', ['2012-12-29T10:00']],
  // Not summer time: Pyongyang left +9 for +8:30 on 15 August 2015 at 00:00 and came back on 4 May 2018 at 23:30.
  [
    'a zone that moves back for good runs 23:45 once',
    '45 23 * * *',
    'Asia/Pyongyang',
    '2015-08-14T00:00',
    ['2015-08-14T14:45', '2015-08-15T15:15'],
  ],
  [
    'a zone that moves ahead for good runs 23:45 at 00:00',
    '45 23 * * *',
    'Asia/Pyongyang',
    '2018-05-04T00:00',
    ['2018-05-04T15:00', '2018-05-05T14:45'],
  ],
  // Caracas: −4:30 → −4 at 02:30 local, 07:00 UTC, on 1 May 2016.
  [
    'Caracas loses 02:30–03:00',
    '40 2 * * *',
    'America/Caracas',
    '2016-04-30T12:00',
    ['2016-05-01T07:00', '2016-05-02T06:40'],
  ],
  // Moscow: +4 → +3 at 02:00 local, 22:00 UTC, on 26 October 2014.
  [
    'Moscow repeats 01:30 once and for all',
    '30 1 * * *',
    'Europe/Moscow',
    '2014-10-25T12:00',
    ['2014-10-25T21:30', '2014-10-26T22:30'],
  ],
  // Troll: UTC in winter, +2 in summer: 01:00 → 03:00 at 01:00 UTC on 31 March 2024.
  [
    'two hours are lost in Troll, once',
    '30 1,2 * * *',
    'Antarctica/Troll',
    '2024-03-30T12:00',
    ['2024-03-31T01:00', '2024-03-31T23:30', '2024-04-01T00:30'],
  ],
  // Chatham: +12:45 → +13:45 at 02:45 local, 14:00 UTC, on 28 September 2024.
  [
    'Chatham loses 02:45–03:45',
    '0 3 * * *',
    'Pacific/Chatham',
    '2024-09-28T00:00',
    ['2024-09-28T14:00', '2024-09-29T13:15'],
  ],
  // Casablanca is at +1 except in Ramadan: back to +0 at 03:00 local, 02:00 UTC, on 10 March 2024.
  [
    'Casablanca repeats 02:30 when Ramadan begins',
    '30 2 * * *',
    'Africa/Casablanca',
    '2024-03-09T12:00',
    ['2024-03-10T01:30', '2024-03-11T02:30'],
  ],
  // Calendar facts, in UTC.
  ['1900 was no leap year', '0 0 29 2 *', 'UTC', '1896-02-29T00:00', ['1904-02-29T00:00']],
  [
    '2000 was one, 2100 will be none',
    '0 0 29 2 *',
    'UTC',
    '1996-02-29T00:00',
    ['2000-02-29T00:00', '2004-02-29T00:00'],
  ],
  ['from 2096 the next leap day is in 2104', '0 0 29 2 *', 'UTC', '2096-02-29T00:00', ['2104-02-29T00:00']],
  // 29 February fell on a Sunday in 2004, 2032, 2060 and 2088; after that 2100 breaks the 28 years: 2128.
  [
    'a leap day on a Sunday is 28 or 40 years away',
    '0 0 29 2 */7',
    'UTC',
    '2004-03-01T00:00',
    ['2032-02-29T00:00', '2060-02-29T00:00', '2088-02-29T00:00', '2128-02-29T00:00'],
  ],
  // 13 February and 13 March 2026 are Fridays; both day fields restricted: every Friday and every 13th.
  [
    'two restricted day fields: either is enough',
    '0 0 13 * 5',
    'UTC',
    '2026-03-06T00:00',
    [
      '2026-03-13T00:00',
      '2026-03-20T00:00',
      '2026-03-27T00:00',
      '2026-04-03T00:00',
      '2026-04-10T00:00',
      '2026-04-13T00:00',
    ],
  ],
  // With a star in front both must hold: odd days that are Mondays. 5, 12, 19, 26 January 2026 are Mondays.
  [
    'a star in front of a day field: both must hold',
    '0 0 */2 * 1',
    'UTC',
    '2026-01-01T00:00',
    ['2026-01-05T00:00', '2026-01-19T00:00'],
  ],
  [
    'L is the last day of each month',
    '0 0 L * *',
    'UTC',
    '2024-01-31T00:00',
    ['2024-02-29T00:00', '2024-03-31T00:00', '2024-04-30T00:00'],
  ],
  // The last Friday of January 2026 is the 30th, of February the 27th; the third Friday of January the 16th.
  ['FRIL is the last Friday', '0 9 * * FRIL', 'UTC', '2026-01-01T00:00', ['2026-01-30T09:00', '2026-02-27T09:00']],
  ['5#3 is the third Friday', '0 9 * * 5#3', 'UTC', '2026-01-01T00:00', ['2026-01-16T09:00', '2026-02-20T09:00']],
  ['the year turns in the job’s own zone', '0 0 1 1 *', 'Pacific/Kiritimati', '2026-06-01T00:00', ['2026-12-31T10:00']],
];

describe('slots worked out by hand', () => {
  it.each(byHand)('%s', (_, cron, timeZone, after, expected) => {
    expect(nextSlots(parseSchedule(cron, timeZone), at(after), expected.length).map(text)).toEqual(expected);
  });
});
