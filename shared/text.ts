/**
 * A text for people without the queries of the addresses in it: signatures are in there, which open blobs to whoever
 * reads them. Others' error messages may repeat what they were sent.
 */
export function withoutQueries(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s?#'"<>]*)[?#][^\s'"<>]*/gi, '$1?…');
}
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

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }).join('');
}
