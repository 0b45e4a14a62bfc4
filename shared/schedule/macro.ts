import { closest } from 'fastest-levenshtein';
import { ScheduleError } from './error.ts';

/** Words that stand for a whole schedule. */

const macros: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** The five fields of a macro. @throws ScheduleError that says what to write for one of another scheduler */
export function expandMacro(text: string): string {
  const name = text.toLowerCase();
  if (Object.hasOwn(macros, name)) return macros[name] ?? '';
  const known = Object.keys(macros);
  const hint =
    macroHint(name) ?? wordsHint(name.slice(1)) ?? `did you mean ${closest(name, known)}? Or write the five fields`;
  throw new ScheduleError('macro', text, `macro "${text}" is unknown, expected one of ${known.join(', ')}`, hint);
}

/** Macros of other schedulers, and words that people expect to be some. */
const elsewhere: Readonly<Record<string, string>> = {
  '@noon': '0 12 * * *',
  '@midday': '0 12 * * *',
  '@nightly': '0 0 * * *',
  '@morning': '0 7 * * *',
  '@evening': '0 18 * * *',
  '@minutely': '* * * * *',
  '@every_minute': '* * * * *',
  '@weekdays': '0 0 * * 1-5',
  '@workdays': '0 0 * * 1-5',
  '@weekday': '0 0 * * 1-5',
  '@weekend': '0 0 * * 0,6',
  '@weekends': '0 0 * * 0,6',
  '@quarterly': '0 0 1 1,4,7,10 *',
  '@biannually': '0 0 1 1,7 *',
  '@semiannually': '0 0 1 1,7 *',
};

/** What to write for a schedule in words, or as another scheduler has it; undefined: it is none that is known here. */
export function wordsHint(text: string): string | undefined {
  const plain = text.toLowerCase();
  const unit = /^every (year|month|week|day|hour|minute)$/.exec(plain)?.[1];
  const word = `@${unit ? adverbs[unit] : plain}`;
  if (Object.hasOwn(macros, word)) return `write "${word}"`;
  if (Object.hasOwn(elsewhere, word)) return macroHint(word);
  return intervalHint(plain) ?? timeHint(plain) ?? eventBridgeHint(plain);
}

const adverbs: Readonly<Record<string, string>> = {
  year: 'yearly',
  month: 'monthly',
  week: 'weekly',
  day: 'daily',
  hour: 'hourly',
  minute: 'minutely',
};

/** `every 5 minutes`, `15m`, `rate(5 minutes)` of EventBridge, `PT2H` of ISO 8601, `00:05:00` of Azure Functions' timers. */
function intervalHint(text: string): string | undefined {
  const [, hours = 0, minutes = 0] = (/^(\d\d):(\d\d):\d\d$/.exec(text) ?? []).map(Number);
  // Rather a time of day than a step that no day is made of.
  if (hours > 0 && 24 % hours !== 0) return undefined;
  if (hours + minutes > 0) return macroHint(`@every ${hours > 0 ? `${hours}h` : `${minutes}m`}`);
  const [, count, unit] =
    /^(?:every |rate\()?(\d{1,3}) ?([smh])(?:ecs?|econds?|ins?|inutes?|rs?|ours?)?\)?$/.exec(text) ??
    /^pt(\d{1,3})([smh])$/.exec(text) ??
    [];
  return count && macroHint(`@every ${count}${unit}`);
}

/** `7:00`, `7am`, `daily at 19:30`. */
function timeHint(text: string): string | undefined {
  const [, time = '', hours, minutes, half] =
    /^(?:(?:every ?day|daily)(?: at)? )?(([01]?\d|2[0-3])(?::([0-5]\d)(?::00)?)? ?([ap]m)?)$/.exec(text) ?? [];
  if (minutes === undefined && half === undefined) return undefined;
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (half === 'pm' ? 12 : 0);
  return `for each day at ${time} write "${Number(minutes ?? 0)} ${hour} * * *"`;
}

/** `cron(0 7 ? * 2-6 *)`: a year at the end, and days of the week from 1, which is Sunday. */
function eventBridgeHint(text: string): string | undefined {
  const fields = /^cron\((.*)\)$/.exec(text)?.[1]?.split(' ');
  if (fields?.length !== 6) return undefined;
  const [minute, hour, date, month, weekday = ''] = fields.map((field) => (field === '?' ? '*' : field));
  const days = /^[\d,-]+$/.test(weekday) ? weekday.replace(/\d/g, (day) => `${Number(day) - 1}`) : weekday;
  return `write "${[minute, hour, date, month, days.toUpperCase()].join(' ')}"`;
}

function macroHint(name: string): string | undefined {
  if (name === '@reboot') return 'jobs have no boot to start at: choose a time, such as @daily, or run the job by hand';
  if (Object.hasOwn(elsewhere, name)) return `write "${elsewhere[name]}"`;
  const [every, count = '', unit = ''] = /^@every[\s_]*(?:(\d{1,3})\s*([smh]))?/.exec(name) ?? [];
  if (every === undefined) return undefined;
  const number = Number(count);
  if (unit === 'm' && number > 0 && 60 % number === 0) return `write "${number === 60 ? '0' : `*/${number}`} * * * *"`;
  if (unit === 'h' && number > 0 && 24 % number === 0) return `write "0 ${number === 1 ? '*' : `*/${number}`} * * *"`;
  if (unit === 's') return 'a minute is the smallest step: write "* * * * *"';
  return 'write a step that divides the hour or the day, such as "*/5 * * * *" for every five minutes';
}
