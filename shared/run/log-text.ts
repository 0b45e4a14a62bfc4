import { isUtf8 } from 'node:buffer';
import { iso } from '../instant.ts';
import { type LogRecord, ours, readLog, stampLength } from './log.ts';

/**
 * Whole pieces of a log at once, byte by byte and without an object for each line: of a log of millions of lines that is
 * a second instead of half a minute, in memory for one piece.
 */

const newline = 0x0a;
const [hash, plus] = [0x23, 0x2b];
const ourMark = Buffer.from(ours);

/** What a piece of a log is as people read it. */
export interface LogText {
  text: Buffer;
  /** The bytes at the end that are not a whole record yet. */
  rest: Buffer;
  /** Whether the text ended with its line. */
  fresh: boolean;
}

/**
 * The text of log bytes as people read it; bytes that are no text stay as they are.
 * @param fresh whether the text before these bytes ended with its line
 * @param stamped each line, and each word of the shim, has its time in front
 */
export function readText(bytes: Buffer, fresh: boolean, stamped = false): LogText {
  const end = bytes.lastIndexOf(newline) + 1;
  // A record has 26 bytes at least, of which its time and marker may stay and the shim's 14 come in addition.
  const text = Buffer.allocUnsafe(stamped ? end * 2 : end);
  let size = 0;
  let open = !fresh;
  for (let at = 0; at < end; ) {
    let to = at;
    let marker = 0;
    if (isStamped(bytes, at)) {
      marker = bytes[at + stampLength] ?? 0;
      if (stamped && (!open || marker === hash)) {
        size = put(bytes, at, stampEnd(bytes, at), text, size);
        text[size++] = 0x5a; // Z
        text[size++] = 0x20;
      }
      if (marker === hash) size = put(ourMark, 0, ourMark.length, text, size);
      to = at + stampLength + 1;
    }
    for (let byte = bytes[to++] ?? newline; byte !== newline; byte = bytes[to++] ?? newline) text[size++] = byte;
    open = marker === plus;
    if (!open) text[size++] = newline;
    at = to;
  }
  return { text: text.subarray(0, size), rest: bytes.subarray(end), fresh: !open };
}

/**
 * Log bytes as JSON, one object a line: `at`, `from`, `continues`, `text`, and `base64` where the bytes are no text.
 * @returns the lines, and the bytes at the end that are not a whole record yet
 * @throws RangeError when a line does not begin with its time
 */
export function readJson(bytes: Buffer): { text: Buffer; rest: Buffer } {
  const end = bytes.lastIndexOf(newline) + 1;
  const whole = bytes.subarray(0, end);
  const text = (isUtf8(whole) && plainJson(whole)) || carefulJson(whole);
  return { text, rest: bytes.subarray(end) };
}

/** One record of a log as JSON, with its line end. */
export function recordJson({ at, from, continues, bytes }: LogRecord): string {
  const exact = isUtf8(bytes) ? {} : { base64: bytes.toString('base64') };
  return `${JSON.stringify({ at: iso(at), from, continues, text: bytes.toString(), ...exact })}\n`;
}

function carefulJson(whole: Buffer): Buffer {
  return Buffer.from(readLog(whole).records.map(recordJson).join(''));
}

/** What comes between the time of a record and its text. */
const [plainMiddle, openMiddle, ourMiddle] = [
  { from: 'job', continues: false },
  { from: 'job', continues: true },
  { from: 'lamplighter', continues: false },
].map((fields) => Buffer.from(`Z",${JSON.stringify({ ...fields, text: '' }).slice(1, -2)}`)) as [
  Buffer,
  Buffer,
  Buffer,
];
const [opening, closing] = [Buffer.from('{"at":"'), Buffer.from('"}\n')];
const longest = opening.length + stampLength + Math.max(openMiddle.length, ourMiddle.length) + closing.length;
/** The longest that one byte becomes in JSON: \u0000. */
const longestEscape = 6;

/** How each byte stands in a text of JSON; undefined: as it is, which in UTF-8 is every byte above 0x7f. */
const escapes = Array.from({ length: 256 }, (_, byte) => {
  const text = byte < 0x80 ? JSON.stringify(String.fromCharCode(byte)).slice(1, -1) : '';
  return text.length > 1 ? Buffer.from(text) : undefined;
});
const isPlain = Uint8Array.from(escapes, (longer) => (longer === undefined ? 1 : 0));

/** @param whole records that are UTF-8 @returns undefined when one of them has no time */
function plainJson(whole: Buffer): Buffer | undefined {
  let text = Buffer.allocUnsafe(whole.length * 3 + 4_096);
  let size = 0;
  for (let at = 0; at < whole.length; ) {
    if (!isStamped(whole, at)) return undefined;
    const marker = whole[at + stampLength];
    let to = at + stampLength + 1;
    const lineEnd = whole.indexOf(newline, to);
    const most = size + longest + (lineEnd - to) * longestEscape;
    if (most > text.length) text = Buffer.concat([text.subarray(0, size)], most * 2);
    size = put(opening, 0, opening.length, text, size);
    size = put(whole, at, stampEnd(whole, at), text, size);
    const middle = marker === hash ? ourMiddle : marker === plus ? openMiddle : plainMiddle;
    size = put(middle, 0, middle.length, text, size);
    for (; to < lineEnd; to++) {
      const byte = whole[to] ?? 0;
      if (isPlain[byte]) text[size++] = byte;
      else {
        const longer = escapes[byte] as Buffer;
        size = put(longer, 0, longer.length, text, size);
      }
    }
    size = put(closing, 0, closing.length, text, size);
    at = lineEnd + 1;
  }
  return text.subarray(0, size);
}

/** Copies a few bytes: a loop is faster than a call for as few as these. @returns the size then */
function put(from: Buffer, start: number, end: number, to: Buffer, size: number): number {
  let next = size;
  for (let at = start; at < end; at++) to[next++] = from[at] ?? 0;
  return next;
}

const shape = Buffer.from('0000-00-00T00:00:00.000Z');
const [zero, nine] = [0x30, 0x39];

/** Whether a record begins there: a time, and a marker that is not the line's end. */
function isStamped(bytes: Buffer, from: number): boolean {
  for (let at = 0; at < stampLength; at++) {
    const byte = bytes[from + at] ?? 0;
    const wanted = shape[at];
    if (wanted === zero ? byte < zero || byte > nine : byte !== wanted) return false;
  }
  return from + stampLength < bytes.length && bytes[from + stampLength] !== newline;
}

/** Where the time ends as it is printed, without its Z: milliseconds only where there are any. */
function stampEnd(bytes: Buffer, from: number): number {
  const dot = from + stampLength - '.000Z'.length;
  return bytes[dot + 1] === zero && bytes[dot + 2] === zero && bytes[dot + 3] === zero ? dot : dot + '.000'.length;
}
