/**
 * Reads a file of secrets as dotenv does. Its kinds differ in much: what one of them reads as another value, or as half
 * of it, is refused with its line, since that only shows when the job fails. What is common and can only be meant whole
 * is read as it stands: `a#b` and `$b` without quotes; in double quotes `\"` is a quote, and `\n` and `\r` end lines.
 */

/** Why a line cannot be read; never its value. */
export interface LineFault {
  /** Counts from 1. */
  line: number;
  fault: string;
}

export interface Dotenv {
  /** Vault name, in lower case and with hyphens → value, or what is wrong with its line. The last line of a name counts. */
  secrets: ReadonlyMap<string, string | LineFault>;
  /** Lines that have no name. */
  faults: LineFault[];
}

/** In vault names capitals and small letters are the same; variables cannot have hyphens. */
export function secretKey(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** @param bytes UTF-8, or UTF-16 as Windows' shell writes it */
export function readDotenv(bytes: Uint8Array): Dotenv {
  const text = decoded(bytes);
  if (typeof text !== 'string') return { secrets: new Map(), faults: [text] };
  const secrets = new Map<string, string | LineFault>();
  const faults: LineFault[] = [];
  const lines = text.split(/\r?\n|\r/);
  /** Of the line before: the name whose plain value may go on here, and whether it could not be read. */
  let before: { plain?: string; faulty?: boolean } = {};
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const { plain, faulty } = before;
    before = {};
    const row = lines[index] ?? '';
    if (/^\s*(#|$)/.test(row)) continue;
    const [, name, rest = ''] = /^\s*(?:export\s+)?([\w.-]+)\s*=(.*)$/.exec(row) ?? [];
    // The last line of a key in base64 ends in = or == and looks like a name.
    const padding = rest.trim() === '=' || (faulty && rest.trim() === '');
    if (name === undefined || padding) {
      faults.push({ line, fault: 'is not name=value' });
      if (plain !== undefined) secrets.set(plain, { line: index, fault: goesOn });
      before = { faulty: true };
      continue;
    }
    const key = secretKey(name);
    const quote = /^\s*(["'`])/.exec(rest)?.[1];
    const { value, last } = quote
      ? quotedValue(lines, index, rest.trimStart(), quote)
      : { value: plainValue(rest), last: index };
    const whole = typeof value === 'string';
    secrets.set(key, whole ? value : { line, ...value });
    before = whole ? (quote ? {} : { plain: key }) : { faulty: true };
    index = last;
  }
  return { secrets, faults };
}

const goesOn = 'goes on in the next line, which is not name=value: put the value in quotes, or correct that line';
const reference = /\$\{[A-Za-z_]/;
const referenceFault = `has a \${…}, which is not replaced: write what it stands for, or put the value in single quotes`;

/** A `#` after a blank begins a comment; inside of a word it is a part of it. */
function plainValue(rest: string): string | { fault: string } {
  const value = rest.replace(/\s#.*$/, '').trim();
  if (/^-----BEGIN(?!.*-----END)/.test(value)) {
    return { fault: 'begins a key of several lines: put quotes before its first and after its last line' };
  }
  if (value.endsWith('\\')) return { fault: 'ends in a backslash: write the value in one line, in single quotes' };
  if (/^[“”„‟‘’‚‛]/.test(value)) return { fault: 'has quotes of a word processor: type them again as " or \'' };
  return reference.test(value) ? { fault: referenceFault } : value;
}

/** A value in quotes, of one line or several. In double quotes `\n` is a line end. */
function quotedValue(lines: readonly string[], first: number, rest: string, quote: string) {
  const refused = (fault: string, last = first) => ({ value: { fault }, last });
  let text = rest.slice(1);
  for (let last = first; last < lines.length; last += 1) {
    if (last > first) text += `\n${lines[last]}`;
    const end = closing(text, quote);
    if (end === undefined) continue;
    if (!/^\s*(#.*)?$/.test(text.slice(end + 1))) {
      return refused(`has something after its closing ${quote}: use the other kind of quotes, or delete it`);
    }
    const value = text.slice(0, end);
    if (quote !== '"') return { value, last };
    if (reference.test(value)) return refused(referenceFault, last);
    if ([...value.matchAll(escaped)].some(([, of = '']) => meanings[of] === undefined)) {
      return refused('has a backslash in double quotes: put the value in single quotes, where it is kept', last);
    }
    return { value: value.replace(escaped, (_, of: string) => meanings[of] ?? ''), last };
  }
  return refused(`has a ${quote} that is not closed: close it, or put the value in the other kind of quotes`);
}

const escaped = /\\(.)/gs;
const meanings: Readonly<Record<string, string>> = { n: '\n', r: '\r', '"': '"' };

function closing(text: string, quote: string): number | undefined {
  for (let at = 0; at < text.length; at += 1) {
    if (quote === '"' && text[at] === '\\') at += 1;
    else if (text[at] === quote) return at;
  }
  return undefined;
}

function decoded(bytes: Uint8Array): string | LineFault {
  const [a, b] = bytes;
  const little = a === 0xff && b === 0xfe;
  const encoding = little ? 'utf-16le' : a === 0xfe && b === 0xff ? 'utf-16be' : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    const nul = text.indexOf('\0');
    return nul < 0 ? text : { line: lineOf(text, nul), fault: 'holds a NUL character: save the file again as UTF-8' };
  } catch {
    const text = new TextDecoder(encoding).decode(bytes);
    return { line: lineOf(text, text.indexOf('\ufffd')), fault: 'is not UTF-8: save the file again as UTF-8' };
  }
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, Math.max(offset, 0)).split('\n').length;
}
