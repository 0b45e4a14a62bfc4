import { CronExpressionParser } from 'cron-parser';
import { closest } from 'fastest-levenshtein';
import { type FieldName, ScheduleError } from './error.ts';
import { expandMacro, wordsHint } from './macro.ts';

/** The text of a schedule, read into sets of values, and every reason to refuse one. Knows nothing of time zones. */

/** Value sets of a schedule. `days` and `weekdays` are bit masks: bit 1–31, bit 0 (Sunday) – 6. */
export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: readonly number[];
  readonly days: number;
  readonly lastDay: boolean;
  readonly weekdays: number;
  /** Weekday masks: [0] the last such day of the month, [1]–[5] the nth. */
  readonly nth: readonly number[];
  /** Both day fields are restricted: a date matches when either does. */
  readonly eitherDay: boolean;
  /** The minute or the hour field starts with `*`: clock changes are followed, not made up for. */
  readonly followsClock: boolean;
}

interface Spec {
  readonly field: FieldName;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const monthNames = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const dayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const dayWords = new Map(Object.entries({ weekday: '1-5', workday: '1-5', weekend: '0,6' }));
const specs: readonly Spec[] = [
  { field: 'minute', min: 0, max: 59, names: [] },
  { field: 'hour', min: 0, max: 23, names: [] },
  { field: 'day of month', min: 1, max: 31, names: [] },
  { field: 'month', min: 1, max: 12, names: monthNames },
  { field: 'day of week', min: 0, max: 7, names: dayNames },
];

const longest = 256;
const fiveFields = 'five fields: minute, hour, day of month, month, day of week';
const writeFive = 'write for example "0 7 * * 1-5" for 07:00 from Monday to Friday';

/** Reads five-field cron text or a macro such as `@daily`. @throws ScheduleError, never with code `impossible` or `time-zone`. */
export function parseCron(cron: string): CronFields {
  const texts = splitFields(cron);
  const items = specs.map((spec, i) => {
    const text = texts[i] ?? '';
    return text.split(',').map((item) => checkItem(spec, text, item));
  });
  return valuesOf(texts, items);
}

function splitFields(cron: string): string[] {
  const refuse = (message: string, hint: string) => new ScheduleError('cron', cron, message, hint);
  if (cron.length > longest) {
    const start = `${cron.slice(0, 40)}…`;
    throw new ScheduleError(
      'cron',
      start,
      `cron "${start}" has ${cron.length} characters, expected at most ${longest}`,
      'write ranges and steps instead of long lists, or several schedules',
    );
  }
  const text = cron.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
  if (text === '') throw refuse(`cron "${cron}" is empty, expected ${fiveFields}`, writeFive);
  const odd = /[^\x20-\x7e\t]/u.exec(text)?.[0];
  if (odd !== undefined) {
    const code = `U+${(odd.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    throw refuse(
      `cron ${JSON.stringify(cron)} contains the character ${code}, expected plain ASCII on one line`,
      'type the schedule again by hand: look-alike digits, blanks and dashes come from pasted text',
    );
  }
  if (text.startsWith('@')) return expandMacro(text).split(' ');
  const prefix = /^(?:CRON_)?TZ=["']?([\w+/-]+)["']?\s+(.*)$/.exec(text);
  if (prefix) {
    const [, zone = '', rest = ''] = prefix;
    throw new ScheduleError(
      'zone-in-cron',
      text,
      `cron "${text}" sets a time zone, expected ${fiveFields}`,
      `write cron: "${rest}" and timeZone: ${zone}`,
    );
  }
  const fields = text.split(/[ \t]+/);
  if (fields.length === 5) return fields;
  if (fields.length < 5) {
    const hint = wordsHint(text) ?? writeFive;
    throw refuse(`cron "${text}" has ${fields.length} of 5 fields, expected ${fiveFields}`, hint);
  }
  throw tooManyFields(text, fields);
}

/** Six fields begin with seconds, seven end with a year besides; anything else after five good fields is a crontab's command. */
function tooManyFields(text: string, fields: string[]): ScheduleError {
  const readable = (five: string[]) => {
    try {
      parseCron(five.join(' '));
      return true;
    } catch {
      return false;
    }
  };
  const message = `cron "${text}" has ${fields.length} fields, expected ${fiveFields}`;
  const unbroken = [text.replace(/[ \t]*([,/-])[ \t]*/g, '$1'), withDaysJoined(fields)].find(
    (one) => one !== undefined && one !== text && readable(one.split(/[ \t]+/)),
  );
  if (unbroken !== undefined) {
    return new ScheduleError('cron', text, message, `write "${unbroken}": no blanks inside of a field`);
  }
  const rest = fields.slice(5);
  const fieldLike = rest.every((word) =>
    /^([\d*?,/#LW-]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT)+$/i.test(word),
  );
  if (fields.length <= 7 && fieldLike) {
    const five = fields.slice(1, 6).map((field) => (field === '?' ? '*' : field));
    const form = readable(five) ? `"${five.join(' ')}"` : '"minute hour day-of-month month day-of-week"';
    const what = fields.length === 6 ? 'seconds are' : 'seconds and years are';
    return new ScheduleError('six-fields', text, message, `${what} not supported: the five-field form is ${form}`);
  }
  const five = fields.slice(0, 5).join(' ');
  const [first = ''] = rest;
  if (!readable(fields.slice(0, 5))) return new ScheduleError('cron', text, message, wordsHint(text) ?? writeFive);
  if (rest.length === 1 && /^([A-Z][A-Za-z_]+\/[\w+/-]+|UTC)$/.test(first)) {
    return new ScheduleError('zone-in-cron', text, message, `write cron: "${five}" and timeZone: ${first}`);
  }
  const hint = first.startsWith('#')
    ? `write cron: "${five}", and the comment after the closing quotation mark`
    : `keep "${five}" and put "${rest.join(' ')}" elsewhere: a schedule holds no command`;
  return new ScheduleError('cron', text, message, hint);
}

/** `0 7 * * mon,wed fri`: days by name at the end are one list. */
function withDaysJoined(fields: readonly string[]): string | undefined {
  const days = fields.slice(4);
  const named = days.every((word) => word.split(/[,-]/).every((name) => dayNames.includes(name.toUpperCase())));
  return named ? [...fields.slice(0, 4), days.join(',')].join(' ') : undefined;
}

/** Checks one item of a list and returns it as cron-parser shall read it; cron-parser alone takes more than we promise. */
function checkItem(spec: Spec, text: string, item: string): string {
  const { field, min, max, names } = spec;
  const words = names.length > 0 ? ` or ${names[0]}–${names.at(-1)}` : field === 'day of month' ? ' or L' : '';
  const span = `${min}–${max}${words}`;
  const refuse = (what: string, hint: string) =>
    new ScheduleError(
      'field',
      text,
      `${field} "${text}": ${what}, expected ${span}, *, ranges, steps or lists`,
      hint,
      field,
    );
  const read = (word: string): number => {
    const index = names.indexOf(word.toUpperCase());
    if (index >= 0) return index + min;
    if (!/^\d+$/.test(word)) {
      const days = field === 'day of week' ? dayWords.get(word.toLowerCase().replace(/s$/, '')) : undefined;
      if (days !== undefined) throw refuse(`"${word}" is no value`, `write ${days}`);
      const name =
        names.length > 0 && /^[a-z]+$/i.test(word) ? closest(word.slice(0, 3).toUpperCase(), [...names]) : '';
      throw refuse(
        `"${word}" is no value`,
        name ? `write names with three letters: did you mean ${name}?` : `write ${span}`,
      );
    }
    if (Number(word) < min || Number(word) > max) throw refuse(`${word} is out of range`, `write a value of ${span}`);
    return Number(word);
  };

  if (item === '') throw refuse('a value is missing', 'remove the extra comma, or write the value');
  if (item.includes('?')) throw refuse('"?" is not supported', 'write * instead of ?');
  if (/^H([(/]|$)/i.test(item)) throw refuse('"H" is not supported', 'write the value itself, such as 17 instead of H');
  if (field === 'day of month' && /^\d*L?W$/i.test(item)) {
    throw refuse('"W" (nearest weekday) is not supported', 'write a plain day, or choose days of the week instead');
  }
  if (field === 'day of month' && /^L$/i.test(item)) return 'L';
  if (field === 'day of month' && /^L-\d+$/i.test(item)) {
    throw refuse('days before the last are not supported', 'write L for the last day of the month, or a plain day');
  }
  if (field === 'day of week' && /L$/i.test(item)) {
    if (item.length === 1) throw refuse('"L" needs a weekday', 'write 5L or FRIL for the last Friday of the month');
    return `${read(item.slice(0, -1)) % 7}L`;
  }
  if (field === 'day of week' && item.includes('#')) {
    const [word = '', nth = '', ...more] = item.split('#');
    if (!/^[1-5]$/.test(nth) || more.length > 0) {
      throw refuse(`"${item}" is no nth weekday`, 'write MON#1 to MON#5, or MONL for the last Monday of the month');
    }
    return `${read(word) % 7}#${nth}`;
  }

  const [range = '', step, ...more] = item.split('/');
  if (more.length > 0) throw refuse(`"${item}" has two steps`, 'keep one step');
  if (step !== undefined && (!/^\d+$/.test(step) || Number(step) < 1 || Number(step) > max)) {
    throw refuse(
      `step "${step}" is out of range`,
      `write a step from 1 to ${max}; a longer interval needs fixed values`,
    );
  }
  const tail = step === undefined ? '' : `/${Number(step)}`;
  if (range === '*') return `${range}${tail}`;
  const [fromWord = '', toWord, ...parts] = range.split('-');
  if (parts.length > 0 || fromWord === '' || toWord === '') {
    throw refuse(`"${item}" is no range`, `write a range such as ${min}-${max}`);
  }
  const from = read(fromWord);
  if (toWord === undefined) {
    // Other crons disagree about 5/10: only 5, or every ten from 5 on.
    if (step !== undefined)
      throw refuse(`"${item}" has a step without a range`, `write ${from}-${max === 7 ? 6 : max}/${step}`);
    return `${from}`;
  }
  const to = read(toWord);
  if (from > to)
    throw refuse(`range "${range}" runs backwards`, `write ${unwrap(spec, from, to, Number(step ?? 1), fromWord)}`);
  return `${from}-${to}${tail}`;
}

/** What was meant by a range that runs backwards: FRI-MON → FRI,SAT,SUN,MON; 22-6 → 22-23,0-6. */
function unwrap(spec: Spec, from: number, to: number, step: number, word: string): string {
  const last = spec.field === 'day of week' ? 6 : spec.max;
  const named = spec.names.length > 0;
  const join = (a: number, b: number) => (a === b ? `${a}` : `${a}-${b}`);
  if (!named && step === 1) return `${join(from, last)},${join(spec.min, to)}`;
  const size = last - spec.min + 1;
  const length = (((to - from) % size) + size) % size;
  const values = [];
  for (let i = 0; i <= length; i += step) values.push(((from - spec.min + i) % size) + spec.min);
  const name = (value: number) => (/^\d/.test(word) ? `${value}` : (spec.names[value - spec.min] ?? `${value}`));
  return values.map(name).join(',');
}

/**
 * cron-parser refuses lists that name a value twice, `#` inside lists, and 31 beside a short month even when the day of
 * week is enough: so it is asked item by item, and about the month apart from the day.
 */
function valuesOf(texts: string[], items: string[][]): CronFields {
  const sets = specs.map(() => new Set<number>());
  const nth = [0, 0, 0, 0, 0, 0];
  let lastDay = false;
  const read = (line: string, wanted: readonly number[]) => {
    const { fields } = CronExpressionParser.parse(line, { currentDate: new Date(0), tz: 'UTC' });
    const all = [fields.minute, fields.hour, fields.dayOfMonth, fields.month, fields.dayOfWeek];
    for (const i of wanted) {
      const n = i === 4 ? fields.dayOfWeek.nthDay : 0;
      for (const value of all[i]?.values ?? []) {
        if (value === 'L') lastDay = true;
        else if (typeof value === 'string') nth[0] = (nth[0] ?? 0) | (1 << (Number.parseInt(value, 10) % 7));
        else if (n > 0) nth[n] = (nth[n] ?? 0) | (1 << (value % 7));
        else sets[i]?.add(i === 4 ? value % 7 : value);
      }
    }
  };
  const rounds = Math.max(...items.map((list) => list.length));
  for (let round = 0; round < rounds; round++) {
    const [m, h, date, month, weekday] = items.map((list) => list[round] ?? list[0]);
    read(`${m} ${h} ${date} * ${weekday}`, month === '*' ? [0, 1, 2, 3, 4] : [0, 1, 2, 4]);
    if (month !== '*') read(`* * * ${month} *`, [3]);
  }
  const [minutes, hours, days, months, weekdays] = sets.map((set) => [...set].sort((a, b) => a - b));
  const mask = (values: number[] = []) => values.reduce((bits, value) => bits | (1 << value), 0);
  const starred = texts.map((text) => text.startsWith('*'));
  return {
    minutes: minutes ?? [],
    hours: hours ?? [],
    months: months ?? [],
    days: mask(days),
    lastDay,
    weekdays: mask(weekdays),
    nth,
    eitherDay: !starred[2] && !starred[4],
    followsClock: Boolean(starred[0] || starred[1]),
  };
}
