import { z } from 'zod';
import { durationHint, durationPattern, parseDuration } from '../job/duration.ts';
import { parseSize, sizePattern } from '../job/size.ts';
import { namePattern } from './name.ts';

/*
 * The kinds of field that job.yaml has. The error text of a field is its *expectation*; value and place are put in
 * front of it by `shared/issue.ts`. A custom check adds `params: { code, says, hint? }`: `says` is what is wrong.
 */

const day = 24 * 60 * 60_000;

/** A text of a given shape. */
export function text(expected: string, pattern: RegExp) {
  return z.string(expected).regex(pattern, expected);
}

/** A duration between two lengths; stays text here, see `parseDuration`. */
export function duration(shortest: string, longest: string) {
  const expected = `a duration from ${shortest} to ${longest}, such as 30s, 10m, 2h or 1h30m`;
  const [min, max] = [parseDuration(shortest) ?? 0, parseDuration(longest) ?? day];
  return z
    .string(expected)
    .superRefine((value, context) => {
      const ms = parseDuration(value);
      if (ms !== undefined && ms >= min && ms <= max) return;
      const says = ms === undefined ? 'is no duration' : ms < min ? 'is too short' : 'is too long';
      const params = { code: 'duration', says, ...(ms === undefined && { hint: durationHint(value) }) };
      context.addIssue({ code: 'custom', message: expected, params });
    })
    .meta({ pattern: durationPattern.source });
}

/** A size between two sizes; stays text here, see `parseSize`. */
export function size(smallest: string, largest: string, example: string) {
  const expected = `a size from ${smallest} to ${largest}, such as ${example}`;
  const [min, max] = [parseSize(smallest) ?? 0, parseSize(largest) ?? 0];
  return z
    .string(expected)
    .superRefine((value, context) => {
      const bytes = parseSize(value);
      if (bytes !== undefined && bytes >= min && bytes <= max) return;
      const says = bytes === undefined ? 'is no size' : bytes < min ? 'is too small' : 'is too large';
      const hint = bytes === undefined ? 'write a number and Mi, Gi, MB or GB, without a blank' : undefined;
      context.addIssue({ code: 'custom', message: expected, params: { code: 'size', says, hint } });
    })
    .meta({ pattern: sizePattern.source });
}

export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, `one of ${values.join(', ')}`);
}

export const email = text(
  'an e-mail address such as dana@contoso.com',
  /^[^\s@<>,;:"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/,
);
export const words = (expected: string, most: number) => z.string(expected).trim().min(1, expected).max(most, expected);

/** One word of a command. @param expected of the list that it is in */
export const word = (expected: string) =>
  z.string(expected).min(1, 'a list of words, none of them empty').max(4096, 'words of at most 4096 characters');

const wrongFile: readonly [shape: RegExp, says: string, hint: string][] = [
  [/^$/, 'names no file', 'write a file name such as outbound.csv'],
  [/^([/~]|[A-Za-z]:)/, 'is an absolute path', 'name the file relative to the work directory, e.g. outbound.csv'],
  [/\\/, 'holds a backslash', 'separate folders with /'],
  [/(^|\/)\.\.(\/|$)/, 'leaves the work directory', 'write the file inside the work directory'],
  [/[*?[\]{}]/, 'holds a wildcard', 'name each file; a date in the name is not needed, every run keeps its own copy'],
  [/(^|\/)\.?(\/|$)|[:<>|"]|^.{201}/, 'is no plain path', 'write a path such as outbound.csv or reports/outbound.csv'],
];

/** A relative path of one file inside the work directory. */
const file = (expected: string) =>
  z.string(expected).superRefine((value, context) => {
    const wrong = wrongFile.find(([shape]) => shape.test(value));
    if (!wrong) return;
    context.addIssue({ code: 'custom', message: expected, params: { code: 'file', says: wrong[1], hint: wrong[2] } });
  });

export const outputFile = file('the relative path of one file, such as outbound.csv');
const inputExpected = 'a job and one of its outputs, such as pull-prospects/prospects.csv';
export const input = file(inputExpected).regex(new RegExp(`${namePattern.source.slice(0, -1)}/[^/].*$`), inputExpected);

export const environmentName = text(
  'a name of letters, digits and _ such as CRM_URL',
  /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
);
export const metricName = text(
  'a name such as rows_scored: letters, digits and _ . - (at most 64)',
  /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/,
);
export const category = text('a category such as high (at most 100 characters)', /^.{1,100}$/su);
/** In Key Vault a name may begin or end with a hyphen, in a Container Apps Job it may not. */
export const secretName = text(
  'the name of a Key Vault secret such as crm-api-key',
  /^[0-9a-zA-Z]([0-9a-zA-Z-]{0,125}[0-9a-zA-Z])?$/,
);
export const channel = text('the name of a channel such as sales-ops', /^[a-z0-9][a-z0-9-]{0,63}$/);
export const mapping = (example: string) => `a mapping such as ${example}`;
export const whole = (min: number, max: number) => {
  const expected = `a whole number from ${min} to ${max}`;
  return z.int(expected).min(min, expected).max(max, expected);
};
