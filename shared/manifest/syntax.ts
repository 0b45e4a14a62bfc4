import type { YAMLParseError } from 'yaml';
import { escaped, literalIn } from './literal.ts';
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

/** A parser's error in plain words, at its place. */
export function syntaxProblem(error: YAMLParseError, file: string, place: Place): Problem {
  const [message, hint] = words[error.code] ?? [undefined, 'compare with the example in docs/manifest.md'];
  const own = error.message.split('\n')[0] ?? '';
  const said = literalIn(own) ? '' : `: ${escaped(own.slice(0, 120))}`;
  return { file, ...place, code: 'yaml-syntax', message: `${message ?? `this is not YAML${said}`}`, hint };
}
