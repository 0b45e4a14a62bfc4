import { type Instant, minute } from '../shared/instant.ts';
import { localText } from '../shared/schedule/schedule.ts';
import { Refusal } from './refusal.ts';

const pattern = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * Reads a day or an instant as people give it: a day begins at midnight in `timeZone`, and a time without an offset is
 * on that zone's clock. @throws Refusal naming `what`, when it is no time or a day that no calendar has
 */
export function readTime(what: string, text: string, timeZone = 'UTC'): { at: Instant; wholeDay: boolean } {
  const [found, year = '', month = '', day = '', hours, minutes = '00', seconds = '00', offset] =
    pattern.exec(text) ?? [];
  const plain = `${year}-${month}-${day}T${hours ?? '00'}:${minutes}:${seconds}`;
  const utc = found === undefined ? Number.NaN : Date.parse(`${plain}Z`);
  // The parser takes 31 February for 3 March.
  if (Number.isNaN(utc) || new Date(utc).toISOString().slice(0, 19) !== plain) {
    throw new Refusal(`${what} "${text}" is no time: write 2026-11-20, or an instant such as 2026-11-20T07:00Z`);
  }
  return { at: offset === undefined ? onClock(timeZone, utc) : utc - offsetMs(offset), wholeDay: hours === undefined };
}

/** `2h`, `7d`, `30m` ago, or a time as {@link readTime} takes it. */
export function readSince(text: string, now: Instant): Instant {
  const age = /^(\d{1,5})([mhd])$/.exec(text);
  if (age) {
    const unit = { m: minute, h: 60 * minute, d: 24 * 60 * minute }[age[2] as 'm' | 'h' | 'd'];
    return now - Number(age[1]) * unit;
  }
  try {
    return readTime('--since', text).at;
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`${error.message}, or an age such as 30m, 2h or 7d`) : error;
  }
}

function offsetMs(offset: string): number {
  if (offset === 'Z') return 0;
  const sign = offset.startsWith('-') ? -1 : 1;
  return sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2))) * minute;
}

/** The instant at which a zone's clock shows what a clock in UTC shows at `utc`. */
function onClock(timeZone: string, utc: Instant): Instant {
  const offset = (at: Instant) => Date.parse(`${localText(timeZone, at).slice(0, 19)}Z`) - at;
  return utc - offset(utc - offset(utc));
}
