/**
 * Reads a file of secrets as dotenv does, where all its kinds agree; what they read differently is refused with its
 * line, since half a secret or one with a comment in it only shows when the job fails.
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
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const row = lines[index] ?? '';
    if (/^\s*(#|$)/.test(row)) continue;
    const [, name, rest = ''] = /^\s*(?:export\s+)?([\w.-]+)\s*=(.*)$/.exec(row) ?? [];
    if (name === undefined) {
      faults.push({ line, fault: 'is not name=value' });
      continue;
    }
    const quote = /^["'`]/.exec(rest.trimStart())?.[0];
    if (quote === undefined) {
      secrets.set(secretKey(name), plainValue(rest));
      continue;
    }
    const read = quotedValue(lines, index, rest.trimStart(), quote);
    secrets.set(secretKey(name), read.value);
    index = read.last;
  }
  return { secrets, faults };
}

/** A `#` after a blank begins a comment; inside of a word it is a part of it. */
function plainValue(rest: string): string {
  return rest.replace(/\s#.*$/, '').trim();
}

/** A value in quotes, of one line or several. In double quotes `\n` is a line end. */
function quotedValue(lines: readonly string[], first: number, rest: string, quote: string) {
  const fault = (what: string) => ({ value: { line: first + 1, fault: what }, last: first });
  let text = rest.slice(1);
  for (let last = first; last < lines.length; last += 1) {
    if (last > first) text += `\n${lines[last]}`;
    const end = closing(text, quote);
    if (end === undefined) continue;
    if (!/^\s*(#.*)?$/.test(text.slice(end + 1))) {
      return fault(`has something after its closing ${quote}: use the other kind of quotes, or delete it`);
    }
    const value = text.slice(0, end);
    return { value: quote === '"' ? unescaped(value) : value, last };
  }
  // A quote that is a part of a plain value, unless the value seems to go on in the next line.
  const goesOn = lines.slice(first + 1).some((row) => !/^\s*(#.*|(export\s+)?[\w.-]+\s*=.*)?$/.test(row));
  if (!goesOn) return { value: plainValue(rest), last: first };
  return fault(`has a ${quote} that is not closed: close it, or put the value in the other kind of quotes`);
}

function closing(text: string, quote: string): number | undefined {
  for (let at = 0; at < text.length; at += 1) {
    if (quote === '"' && text[at] === '\\') at += 1;
    else if (text[at] === quote) return at;
  }
  return undefined;
}

function unescaped(text: string): string {
  const meanings: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', '"': '"', $: '$' };
  return text.replace(/\\(.)/g, (whole, character: string) => meanings[character] ?? whole);
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
