import { describe, expect, it } from 'vitest';
import { places, windows } from '../../shared/schedule/places.ts';
import { clockChanges, localText, nextSlots, parseSchedule, ScheduleError } from '../../shared/schedule/schedule.ts';

function refusal(cron: string, timeZone = 'UTC'): ScheduleError {
  try {
    parseSchedule(cron, timeZone);
  } catch (error) {
    if (error instanceof ScheduleError) return error;
    throw error;
  }
  throw new Error(`"${cron}" in ${timeZone} was accepted`);
}

// cron, code, a part of the message, a part of the hint
const texts: [string, ScheduleError['code'], string, string][] = [
  ['', 'cron', 'is empty', 'write for example "0 7 * * 1-5"'],
  [' \t ', 'cron', 'is empty', 'write for example'],
  ['7', 'cron', 'has 1 of 5 fields', 'write for example'],
  ['0 7 * *', 'cron', 'has 4 of 5 fields', 'write for example'],
  ['07:05', 'cron', 'has 1 of 5 fields', 'for each day at 07:05 write "5 7 * * *"'],
  ['7am', 'cron', 'has 1 of 5 fields', 'write "0 7 * * *"'],
  ['12 am', 'cron', 'has 2 of 5 fields', 'write "0 0 * * *"'],
  ['daily at 19:30', 'cron', 'has 3 of 5 fields', 'write "30 19 * * *"'],
  ['7:00:00', 'cron', 'has 1 of 5 fields', 'write "0 7 * * *"'],
  ['07:30:00', 'cron', 'has 1 of 5 fields', 'write "30 7 * * *"'],
  ['every 5 minutes', 'cron', 'has 3 of 5 fields', 'write "*/5 * * * *"'],
  ['every hour', 'cron', 'has 2 of 5 fields', 'write "@hourly"'],
  ['every minute', 'cron', 'has 2 of 5 fields', 'write "* * * * *"'],
  ['every 10 seconds', 'cron', 'has 3 of 5 fields', 'a minute is the smallest step'],
  ['every 7 minutes', 'cron', 'has 3 of 5 fields', 'a step that divides the hour'],
  ['Daily', 'cron', 'has 1 of 5 fields', 'write "@daily"'],
  ['weekdays', 'cron', 'has 1 of 5 fields', 'write "0 0 * * 1-5"'],
  ['rate(5 minutes)', 'cron', 'has 2 of 5 fields', 'write "*/5 * * * *"'],
  ['PT2H', 'cron', 'has 1 of 5 fields', 'write "0 */2 * * *"'],
  ['15m', 'cron', 'has 1 of 5 fields', 'write "*/15 * * * *"'],
  // As timers of Azure Functions take them.
  ['00:05:00', 'cron', 'has 1 of 5 fields', 'write "*/5 * * * *"'],
  ['06:00:00', 'cron', 'has 1 of 5 fields', 'write "0 */6 * * *"'],
  ['cron(0 7 ? * 2-6 *)', 'cron', 'has 6 fields', 'write "0 7 * * 1-5"'],
  ['every other day', 'cron', 'has 3 of 5 fields', 'write for example'],
  ['0 7 * * 1-5 Europe/Berlin', 'zone-in-cron', 'has 6 fields', 'cron: "0 7 * * 1-5" and timeZone: Europe/Berlin'],
  ['0 7 * * * UTC', 'zone-in-cron', 'has 6 fields', 'timeZone: UTC'],
  ['0 7 * * *  # mornings', 'cron', 'has 7 fields', 'write cron: "0 7 * * *", and the comment after'],
  ['0 7 * * 1-5 python score.py', 'cron', 'has 7 fields', 'a schedule holds no command'],
  ['1 2 3 4 5 6 7 8', 'cron', 'has 8 fields', 'keep "1 2 3 4 5"'],
  ['0 '.repeat(200), 'cron', '400 characters, expected at most 256', 'write ranges and steps'],
  ['٥ 7 * * *', 'cron', 'U+0665', 'by hand'],
  ['0\u00a07 * * *', 'cron', 'U+00A0', 'by hand'],
  ['0 7 * * 1–5', 'cron', 'U+2013', 'by hand'],
  ['0 7\n* * *', 'cron', 'U+000A', 'by hand'],
  ['0 7 * * 1\u0000', 'cron', 'U+0000', 'by hand'],
  ['0 0 7 * * 1-5', 'six-fields', 'has 6 fields', 'seconds are not supported: the five-field form is "0 7 * * 1-5"'],
  ['0 0 7 ? * MON-FRI', 'six-fields', 'has 6 fields', '"0 7 * * MON-FRI"'],
  ['0 0 7 ? * MON-FRI 2026', 'six-fields', 'has 7 fields', 'seconds and years are not supported'],
  ['0 99 99 * * *', 'six-fields', 'has 6 fields', 'minute hour day-of-month month day-of-week'],
  ['0 7 * * 1 - 5', 'cron', 'has 7 fields', 'write "0 7 * * 1-5": no blanks inside of a field'],
  ['0,30 7 * * 1, 3', 'cron', 'has 6 fields', 'write "0,30 7 * * 1,3"'],
  ['0 , 30 7 * * mon ,wed', 'cron', 'has 8 fields', 'write "0,30 7 * * mon,wed"'],
  ['*/ 5 * * * *', 'cron', 'has 6 fields', 'write "*/5 * * * *"'],
  ['0 7 * * mon,wed fri', 'cron', 'has 6 fields', 'write "0 7 * * mon,wed,fri"'],
  ['0 7 * * MON WED FRI', 'cron', 'has 7 fields', 'write "0 7 * * MON,WED,FRI"'],
  ['0 0 7 * * MON', 'six-fields', 'has 6 fields', '"0 7 * * MON"'],
  ['0 7 * * * /usr/bin/score', 'cron', 'has 6 fields', 'a schedule holds no command'],
  ['@5minutes', 'macro', 'is unknown', 'write "*/5 * * * *"'],
  ['@7am', 'macro', 'is unknown', 'write "0 7 * * *"'],
  ['@reboot', 'macro', '"@reboot" is unknown', 'choose a time'],
  ['@dayly', 'macro', 'expected one of @yearly', 'did you mean @daily?'],
  ['@every 5m', 'macro', 'is unknown', '"*/5 * * * *"'],
  ['@every 90m', 'macro', 'is unknown', 'a step that divides the hour'],
  ['@every 2h', 'macro', 'is unknown', '"0 */2 * * *"'],
  ['@noon', 'macro', 'is unknown', 'write "0 12 * * *"'],
  ['@quarterly', 'macro', 'is unknown', 'write "0 0 1 1,4,7,10 *"'],
  ['@minutely', 'macro', 'is unknown', 'write "* * * * *"'],
  [
    'CRON_TZ=Europe/Berlin 0 7 * * *',
    'zone-in-cron',
    'sets a time zone',
    'cron: "0 7 * * *" and timeZone: Europe/Berlin',
  ],
  ['TZ="America/New_York" @daily', 'zone-in-cron', 'sets a time zone', 'cron: "@daily" and timeZone: America/New_York'],
  ['@', 'macro', 'is unknown', 'did you mean'],
  ['@__proto__', 'macro', 'is unknown', 'did you mean'],
  ['@secondly', 'macro', 'is unknown', 'did you mean'],
  ['0 0 31 2 *', 'impossible', 'names a date that no year has', 'write L as the day of month'],
  ['0 0 30 2 *', 'impossible', 'no year has', 'a day that the month has'],
  ['0 0 31 4,6,9,11 *', 'impossible', 'no year has', 'choose a day'],
  ['0 0 30,31 FEB */1', 'impossible', 'no year has', 'choose a day'],
  // Both day fields must hold when one starts with a star: 1 February is never a fifth Friday.
  ['0 0 */31 2 5#5', 'impossible', 'no year has', 'choose a day'],
];

// cron, field, a part of the message, a part of the hint
const fields: [string, string, string, string][] = [
  ['60 * * * *', 'minute', '60 is out of range, expected 0–59', 'write a value of 0–59'],
  ['0 24 * * *', 'hour', '24 is out of range, expected 0–23', 'write a value of 0–23'],
  ['0 0 0 * *', 'day of month', '0 is out of range, expected 1–31', 'write a value of 1–31'],
  ['0 0 32 * *', 'day of month', '32 is out of range', 'write a value'],
  ['0 0 * 0 *', 'month', '0 is out of range, expected 1–12 or JAN–DEC', 'write a value'],
  ['0 0 * 13 *', 'month', '13 is out of range', 'write a value'],
  ['0 0 * * 8', 'day of week', '8 is out of range, expected 0–7 or SUN–SAT', 'write a value'],
  ['99999999999999999999 * * * *', 'minute', 'out of range', 'write a value'],
  ['a * * * *', 'minute', '"a" is no value', 'write 0–59'],
  ['1e1 * * * *', 'minute', '"1e1" is no value', 'write 0–59'],
  ['0x5 * * * *', 'minute', '"0x5" is no value', 'write 0–59'],
  ['1.5 * * * *', 'minute', '"1.5" is no value', 'write 0–59'],
  ['__proto__ * * * *', 'minute', 'is no value', 'write 0–59'],
  ['MON * * * *', 'minute', '"MON" is no value', 'write 0–59'],
  ['0 0 * * MONDAY', 'day of week', '"MONDAY" is no value', 'did you mean MON?'],
  ['0 7 * * weekdays', 'day of week', '"weekdays" is no value', 'write 1-5'],
  ['0 7 * * Weekends', 'day of week', '"Weekends" is no value', 'write 0,6'],
  ['0 0 * FEBRUARY *', 'month', '"FEBRUARY" is no value', 'did you mean FEB?'],
  ['0 0 * MON *', 'month', '"MON" is no value', 'three letters'],
  ['-5 * * * *', 'minute', '"-5" is no range', 'write a range such as 0-59'],
  ['5- * * * *', 'minute', '"5-" is no range', 'write a range'],
  ['1-2-3 * * * *', 'minute', 'is no range', 'write a range'],
  ['*-5 * * * *', 'minute', '"*" is no value', 'write 0–59'],
  ['** * * * *', 'minute', '"**" is no value', 'write 0–59'],
  ['1,,2 * * * *', 'minute', 'a value is missing', 'remove the extra comma'],
  ['1, * * * *', 'minute', 'a value is missing', 'remove the extra comma'],
  ['*/0 * * * *', 'minute', 'step "0" is out of range', 'a step from 1 to 59'],
  ['*/ * * * *', 'minute', 'step "" is out of range', 'a step from 1 to 59'],
  ['*/-5 * * * *', 'minute', 'step "-5" is out of range', 'a step from 1 to 59'],
  ['*/90 * * * *', 'minute', 'step "90" is out of range', 'a longer interval needs fixed values'],
  ['0 */24 * * *', 'hour', 'step "24" is out of range', 'a step from 1 to 23'],
  ['*/5/5 * * * *', 'minute', 'has two steps', 'keep one step'],
  ['5/10 * * * *', 'minute', 'a step without a range', 'write 5-59/10'],
  ['0 0 * * FRI-MON', 'day of week', 'range "FRI-MON" runs backwards', 'write FRI,SAT,SUN,MON'],
  ['0 0 * * sat-sun', 'day of week', 'runs backwards', 'write SAT,SUN'],
  ['0 0 * * 5-1', 'day of week', 'runs backwards', 'write 5,6,0,1'],
  ['0 0 * NOV-FEB *', 'month', 'runs backwards', 'write NOV,DEC,JAN,FEB'],
  ['0 22-6 * * *', 'hour', 'range "22-6" runs backwards', 'write 22-23,0-6'],
  ['0 22-6/2 * * *', 'hour', 'runs backwards', 'write 22,0,2,4,6'],
  ['50-10 * * * *', 'minute', 'runs backwards', 'write 50-59,0-10'],
  ['0 7 ? * *', 'day of month', '"?" is not supported', 'write * instead of ?'],
  ['0 7 * * ?', 'day of week', '"?" is not supported', 'write * instead of ?'],
  ['H 7 * * *', 'minute', '"H" is not supported', 'write the value itself'],
  ['H/15 * * * *', 'minute', '"H" is not supported', 'write the value itself'],
  ['0 H(0-7) * * *', 'hour', '"H" is not supported', 'write the value itself'],
  ['0 7 15W * *', 'day of month', '"W" (nearest weekday) is not supported', 'write a plain day'],
  ['0 7 LW * *', 'day of month', '"W" (nearest weekday) is not supported', 'write a plain day'],
  ['0 7 L-3 * *', 'day of month', 'days before the last are not supported', 'write L'],
  ['0 L * * *', 'hour', '"L" is no value', 'write 0–23'],
  ['0 0 * * L', 'day of week', '"L" needs a weekday', 'write 5L or FRIL'],
  ['0 0 * * 8L', 'day of week', '8 is out of range', 'write a value'],
  ['0 0 * * MON#6', 'day of week', '"MON#6" is no nth weekday', 'write MON#1 to MON#5'],
  ['0 0 * * MON#0', 'day of week', 'is no nth weekday', 'MONL'],
  ['0 0 * * MON#1#2', 'day of week', 'is no nth weekday', 'write MON#1'],
  ['0 0 * * #1', 'day of week', 'is no value', 'write 0–7'],
  ['0 0 1#1 * *', 'day of month', '"1#1" is no value', 'write 1–31'],
];

// time zone, a part of the message, a part of the hint
const timeZones: [string, string, string][] = [
  ['Europe/Londn', 'is unknown', 'did you mean Europe/London'],
  ['London', 'is unknown', 'did you mean Europe/London'],
  ['New York', 'is unknown', 'did you mean America/New_York'],
  ['europe/london', 'is unknown', 'did you mean Europe/London'],
  ['us/eastern', 'is unknown', 'did you mean America/New_York'],
  ['utc', 'is unknown', 'did you mean UTC'],
  ['', 'is unknown', 'write a place of the IANA list'],
  ['__proto__', 'is unknown', 'write a place of the IANA list'],
  ['Local', 'is unknown', 'write a place of the IANA list, such as Europe/Berlin'],
  ['Europe/Frankfurt', 'is unknown', 'did you mean Europe/Berlin?'],
  ['München', 'is unknown', 'did you mean Europe/Berlin?'],
  ['Germany', 'is unknown', 'did you mean Europe/Berlin?'],
  ['Asia/Beijing', 'is unknown', 'did you mean Asia/Shanghai?'],
  ['Asia/Bangalore', 'is unknown', 'did you mean Asia/Kolkata?'],
  ['America/San_Francisco', 'is unknown', 'did you mean America/Los_Angeles?'],
  ['Australia', 'is unknown', 'did you mean Australia/Sydney, Australia/Perth?'],
  ['America/BuenosAires', 'is unknown', 'Buenos_Aires'],
  ['W. Europe Standard Time', 'is unknown', 'did you mean Europe/Berlin?'],
  ['GMT Standard Time', 'is unknown', 'did you mean Europe/London?'],
  ['Eastern Standard Time', 'is unknown', 'did you mean America/New_York?'],
  ['Eastern Daylight Time', 'is unknown', 'did you mean America/New_York?'],
  ['India Standard Time', 'is unknown', 'did you mean Asia/Kolkata?'],
  ['Central Standard Time (Mexico)', 'is unknown', 'did you mean America/Mexico_City?'],
  ['UK', 'is an abbreviation', 'Europe/London'],
  [' Europe/London', 'is unknown', 'did you mean Europe/London'],
  ['CET', 'is an abbreviation', 'Europe/Berlin'],
  ['cet', 'is an abbreviation', 'Europe/Berlin'],
  ['EST', 'is an abbreviation', 'America/New_York'],
  ['EST5EDT', 'is an abbreviation', 'America/New_York'],
  ['est', 'is an abbreviation', 'America/Panama'],
  ['MST', 'is an abbreviation', 'America/Phoenix (no summer time, as IANA has it) or America/Denver'],
  ['HST', 'is an abbreviation', 'Pacific/Honolulu'],
  ['PRC', 'is an abbreviation', 'Asia/Shanghai'],
  ['ROC', 'is an abbreviation', 'Asia/Taipei'],
  ['AEST', 'is an abbreviation', 'Australia/Sydney'],
  ['XYZ', 'is an abbreviation', 'name the place instead, such as Europe/Berlin'],
  ['GMT', 'is an abbreviation', 'Europe/London for London time'],
  ['GMT+2', 'is an offset', 'name the place'],
  ['UTC+1', 'is an offset', 'name the place'],
  ['+02:00', 'is an offset', 'name the place'],
  ['-0500', 'is an offset', 'name the place'],
  ['Etc/GMT+2', 'is an offset', 'name the place'],
  ['Etc/Zulu', 'is unknown', 'did you mean UTC?'],
  ['San Fransisco', 'is unknown', 'did you mean America/Los_Angeles?'],
  ['Asia/Kolkatta', 'is unknown', 'did you mean Asia/Kolkata'],
];

describe('a schedule that cannot be meant is refused, and the refusal says what to write', () => {
  it.each(texts)('"%s" is refused as %s: %s', (cron, code, message, hint) => {
    const error = refusal(cron);
    expect(error).toMatchObject({ name: 'ScheduleError', code });
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
    expect(cron).toContain(error.value.replace('…', ''));
  });

  it.each(fields)('"%s" is refused for its %s: %s', (cron, field, message, hint) => {
    const error = refusal(cron);
    expect(error).toMatchObject({ code: 'field', field });
    expect(error.message).toContain(message);
    expect(error.message.startsWith(`${field} "${error.value}": `)).toBe(true);
    expect(error.hint).toContain(hint);
    expect(cron.split(' ')).toContain(error.value);
  });

  it.each(timeZones)('the time zone "%s" is refused: it %s', (timeZone, message, hint) => {
    const error = refusal('0 7 * * *', timeZone);
    expect(error).toMatchObject({ code: 'time-zone', value: timeZone });
    expect(error.message).toContain(message);
    expect(error.message).toContain('expected an IANA name such as Europe/London');
    expect(error.hint).toContain(hint);
  });

  it('what a hint says people to write is accepted', () => {
    for (const cron of ['0 0 * * FRI,SAT,SUN,MON', '0 22-23,0-6 * * *', '5-59/10 * * * *', '0 9 * * FRIL,MON#1']) {
      expect(() => parseSchedule(cron, 'UTC')).not.toThrow();
    }
  });

  it('every zone that is offered for a country, a city or a name of Windows is accepted', () => {
    for (const zone of [...Object.keys(places), ...Object.values(windows)]) {
      expect(parseSchedule('@daily', zone).timeZone).toBe(zone);
    }
  });

  it('no country or city that is known here is a zone itself', () => {
    const zones = Intl.supportedValuesOf('timeZone').map((zone) => zone.split('/').at(-1)?.toLowerCase());
    expect(Object.values(places).flatMap((words) => words.filter((word) => zones.includes(word)))).toEqual([]);
  });

  it('an unknown time zone is refused wherever one is named', () => {
    expect(() => clockChanges('Europe/Londn', 0, 1)).toThrow(ScheduleError);
    expect(() => localText('CET', 0)).toThrow(ScheduleError);
  });
});

describe('unusual but sound schedules are accepted', () => {
  it.each([
    'UTC',
    'Etc/UTC',
    'US/Eastern',
    'Japan',
    'GB-Eire',
    'Australia/NSW',
    'Asia/Calcutta',
    'Asia/Kolkata',
    'Europe/Kyiv',
    'America/Port-au-Prince',
    'America/Argentina/ComodRivadavia',
  ])('the time zone %s', (timeZone) => {
    expect(parseSchedule('0 7 * * *', timeZone).timeZone).toBe(timeZone);
  });

  it.each([
    ['tabs and several blanks between fields', ' 0\t7   * *\t\t1-5 ', '0 7 * * 1-5'],
    ['leading zeros', '00 07 01 01 00', '0 7 1 1 0'],
    ['names in any case', '0 7 * jan,FEB mOn-Fri', '0 7 * 1,2 1-5'],
    ['values named twice', '0,0,0-5,3 7 1,1 * 0,7,SUN', '0-5 7 1 * 0'],
    ['macros in any case', '@WeeKly', '0 0 * * 0'],
    ['a star inside a list', '5,* 7 1 1 *', '0-59 7 1 1 *'],
  ])('%s', (_, cron, plain) => {
    const slots = (text: string) => nextSlots(parseSchedule(text, 'UTC'), 0, 20);
    expect(slots(cron)).toEqual(slots(plain));
  });

  it('a day that the month lacks is fine where the day of week is enough', () => {
    const [first] = nextSlots(parseSchedule('0 0 31 2 MON', 'UTC'), Date.parse('2026-01-01T00:00Z'), 1);
    expect(first).toBe(Date.parse('2026-02-02T00:00Z'));
  });

  it('29 February is possible', () => {
    const [first] = nextSlots(parseSchedule('0 0 29 2 *', 'UTC'), Date.parse('2026-01-01T00:00Z'), 1);
    expect(first).toBe(Date.parse('2028-02-29T00:00Z'));
  });
});
