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
  const hint = macroHint(name) ?? `did you mean ${closest(name, known)}? Or write the five fields`;
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
