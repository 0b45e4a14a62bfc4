import { placeFinder } from './place.ts';
import type { Problem } from './problem.ts';

/** A manifest is read whole and checked by many rules; this bounds what a hostile one can cost. */
export const manifestLimitBytes = 64 * 1024;

/** The text of a manifest (UTF-8, a byte order mark is dropped), or why it has none. */
export function decode(bytes: Uint8Array, file: string): { text: string } | { problem: Problem } {
  const refuse = (code: string, message: string, hint: string, place = {}) => ({
    problem: { file, ...place, code, message, hint },
  });
  if (bytes.length > manifestLimitBytes) {
    const message = `is larger than ${manifestLimitBytes / 1024} KiB; expected a short text`;
    return refuse('file-too-large', message, 'keep data in files of its own next to job.yaml');
  }
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return refuse('not-utf8', 'is UTF-16; expected UTF-8', 'save it again as UTF-8', { line: 1, column: 1 });
  }
  const text = new TextDecoder('utf-8').decode(bytes);
  const place = placeFinder(text);
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const where = place(Math.max(0, text.indexOf('\ufffd')));
    return refuse('not-utf8', 'holds bytes that are not UTF-8', 'save it again as UTF-8', where);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(text);
  if (control) {
    const number = `U+${control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
    const code = number === 'U+0000' ? 'nul' : 'control-character';
    return refuse(code, `holds the control character ${number}; expected text`, 'delete it', place(control.index));
  }
  return { text };
}
