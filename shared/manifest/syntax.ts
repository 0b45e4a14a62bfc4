import type { YAMLParseError } from 'yaml';
import { escaped, literalIn, shown } from './literal.ts';
import type { Place } from './place.ts';
import type { Problem } from './problem.ts';

/** The parser's own words are for people who know YAML's grammar; these are for the rest. */
const words: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  TAB_AS_INDENT: ['a tab stands where the line is indented; expected blanks', 'indent with two blanks'],
  BAD_INDENT: [
    'the indentation does not fit what is above, or a bracket is not closed',
    'line up keys of one level, and close every [ and {',
  ],
  MISSING_CHAR: ['a quote, a bracket or a comma is missing', 'close what was opened on this line or above'],
  BLOCK_AS_IMPLICIT_KEY: [
    'a second ": " stands in this line',
    'put the value in quotes, or begin a new line for the second key',
  ],
  MULTILINE_IMPLICIT_KEY: [
    'a key has no ":" after it, or the line above is not finished',
    'write key: value on one line',
  ],
  BAD_SCALAR_START: ['a text begins with a character that YAML keeps for itself', 'put the text in quotes'],
  BAD_DQ_ESCAPE: ['an unknown \\ escape stands in double quotes', "use 'single quotes', or write \\\\"],
  UNEXPECTED_TOKEN: ['something is left over here', 'put texts with special characters in quotes'],
};

/**
 * A value that begins with a character which YAML keeps for itself, most often a schedule such as `cron: * * * * *`.
 * @param line of the text, without its end
 */
export function unquoted(line: string): { column: number; message: string; hint: string } | undefined {
  const found = /^((?:\s*(?:-\s+)?|.*[{,]\s*)([\w-]+):\s+|\s*-\s+)([*@%`][^#]*)/.exec(line);
  const [, before = '', key, rest = ''] = found ?? [];
  if (!found || /["']/.test(before)) return undefined;
  // In braces the value ends at a comma that is followed by another key, or at the brace.
  const value = ((before.includes('{') ? rest.split(/\}|,\s{0,20}[\w-]{1,60}:/)[0] : rest) ?? '').trim();
  if (literalIn(value)) return undefined;
  const text = shown(value);
  return {
    column: before.length + 1,
    message: `${text} begins with ${value.slice(0, 1)}, which YAML keeps for itself; expected a text in quotes`,
    hint: `write ${key ? `${key}: ` : '- '}${text}`,
  };
}

/** `tier:standard`, which YAML takes for one word. What stands behind the colon may be secret, and is not shown. */
export function noBlank(line: string): { column: number; message: string; hint: string } | undefined {
  const [, before = '', key] = /^(\s*(?:-\s+)?)([A-Za-z_][\w-]*):(?!\s|\/\/|$)/.exec(line) ?? [];
  if (key === undefined) return undefined;
  return {
    column: before.length + 1,
    message: `"${key}:" has no blank after its colon; expected one before the value`,
    hint: `write a blank after the colon: ${key}: …`,
  };
}

/** A parser's error in plain words, at its place. @param line of the text that the place is in */
export function syntaxProblem(error: YAMLParseError, file: string, place: Place, line: string): Problem {
  const bare = unquoted(line);
  if (bare) return { file, line: place.line, code: 'unquoted', ...bare };
  const tight = /^(MULTILINE_IMPLICIT_KEY|MISSING_CHAR)$/.test(error.code) ? noBlank(line) : undefined;
  if (tight) return { file, line: place.line, code: 'yaml-syntax', ...tight };
  const [message, hint] = words[error.code] ?? [undefined, 'compare with the example in docs/manifest.md'];
  const own = error.message.split('\n')[0] ?? '';
  const said = literalIn(own) ? '' : `: ${escaped(own.slice(0, 120))}`;
  return { file, ...place, code: 'yaml-syntax', message: `${message ?? `this is not YAML${said}`}`, hint };
}
