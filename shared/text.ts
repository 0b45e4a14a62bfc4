/**
 * A text for people without the queries of the addresses in it: signatures are in there, which open blobs to the one that
 * reads them. Others' error messages may repeat what they were sent.
 */
export function withoutQueries(text: string): string {
  return text.replace(address, (_, path: string, query?: string) => (query === undefined ? path : `${path}?…`));
}

/**
 * An address from the last letter of its scheme on. It matches with and without a query: to look for the query alone, each
 * of a thousand addresses in a row would be read to the end of the last.
 */
const address = /([a-z0-9+.-]:\/\/[^\s?#'"<>]*)([?#][^\s'"<>]*)?/gi;

/** What no eye sees, or what moves what it sees: control, format and bidirectional characters, and broken pairs. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * An untrusted text made safe to show: a terminal would obey some characters of it (ESC ]52 writes the clipboard), others
 * reorder or hide what is there. Each is replaced by its JSON escape, so JSON stays the same JSON.
 * @param keep characters that may stay, e.g. line ends
 */
export function visible(text: string, keep = ''): string {
  return text.replace(unseen, (character) => (keep.includes(character) ? character : escaped(character)));
}

/** A character as JSON escapes it, unit by unit. */
export function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }).join('');
}

const cutMark = /… \(cut; \d+ characters in all\)$/;

/**
 * A text that fits where it goes: a table property, a header, a card. What is too long ends in a mark that names the
 * whole length; surrogate pairs stay whole.
 * @param limit UTF-16 code units, the mark included
 */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  // A text that has been cut before keeps its first length.
  const mark = cutMark.exec(text)?.[0] ?? `… (cut; ${text.length} characters in all)`;
  const end = limit - mark.length;
  return end <= 0 ? beginning(text, limit) : beginning(text, end) + mark;
}

/** At most `length` units of UTF-16, without half a pair at the end. */
function beginning(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
