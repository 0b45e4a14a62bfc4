import type { z } from 'zod';
import { nearest } from '../nearest.ts';
import type { Document } from './document.ts';
import { levelOf, unknownKeyHint } from './level.ts';
import { literalIn, masked, shown } from './literal.ts';
import { type Path, pathText } from './place.ts';
import type { Problem } from './problem.ts';
import { listOf, yamlWord } from './words.ts';

type Issue = z.core.$ZodIssue;

/**
 * What zod found, as problems for people: each with its place, the value, the expectation and what to do; one for each
 * field, since a value that breaks one rule often breaks the next.
 */
export function issueProblems(issues: readonly Issue[], document: Document): Problem[] {
  const problems = issues.flatMap((issue) => problemsOf(issue, document, issue.path as Path));
  const seen = new Set<string | undefined>();
  return problems.filter(({ path }) => !seen.has(path) && seen.add(path));
}

/** @param path of the issue in the document; issues inside a union know only the last part of theirs. */
function problemsOf(issue: Issue, document: Document, path: Path): Problem[] {
  if (document.settled(path)) return [];
  const value = valueAt(document.value, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key, index) => unknownKey(document, path, key, index));
  if (issue.code === 'invalid_union') {
    // The branch that fits the value's own type knows best what is wrong inside it.
    const branch = issue.errors.find((inner) => !inner.some((i) => i.code === 'invalid_type' && i.path.length === 0));
    if (branch) return branch.flatMap((inner) => problemsOf(inner, document, [...path, ...(inner.path as Path)]));
  }
  const name = pathText(path);
  if (issue.code === 'invalid_key') {
    const message = `${shown(String(path.at(-1)))} cannot be a name here; expected ${issue.issues[0]?.message}`;
    return [{ file: document.file, ...document.keyAt(path), path: name, code: 'bad-key', message, hint: 'rename it' }];
  }
  if (value === undefined) {
    const message = `is missing; expected ${issue.message}`;
    return [
      {
        file: document.file,
        ...document.at(path),
        path: name,
        code: 'missing-field',
        message,
        hint: missingHint(name),
      },
    ];
  }
  const source = document.source(path);
  const { code, says, hint } = verdict(issue, value, source);
  const subject = valueText(value, source, path[0] === 'secrets');
  const message = `${subject && `${subject} `}${says}; expected ${issue.message}`;
  return [{ file: document.file, ...document.at(path), path: name, code, message, hint }];
}

/** Stable code, what is wrong in words, and what to do. */
function verdict(issue: Issue, value: unknown, source = ''): { code: string; says: string; hint: string } {
  const example = exampleHint(issue.message);
  switch (issue.code) {
    case 'custom': {
      const { code, says, hint } = issue.params as { code: string; says: string; hint?: string };
      return { code, says, hint: hint ?? 'choose a value in that range' };
    }
    case 'invalid_value':
      return { code: 'unknown-value', says: 'is not known', hint: choiceHint(value, issue.values.map(String)) };
    case 'too_small':
    case 'too_big': {
      const [much, remedy] = issue.code === 'too_big' ? ['large', 'shorten it'] : ['small', 'say more'];
      const code = 'out-of-range';
      if (Array.isArray(value)) return { code, says: `has ${value.length} items`, hint: 'add or delete items' };
      if (typeof value === 'string') return { code, says: `has ${value.length} characters`, hint: remedy };
      return { code, says: `is too ${much}`, hint: 'choose a value in that range' };
    }
    case 'not_multiple_of':
      return { code: 'out-of-range', says: 'is between two steps', hint: 'choose the next step above or below' };
    case 'invalid_format':
      return { code: 'invalid-value', says: 'does not fit', hint: example };
    default:
      return { code: 'wrong-type', says: `is ${kindOf(value)}`, hint: typeHint(issue, value, source) ?? example };
  }
}

/** What to write, from the example in the expectation: `…, such as crm-api-key`. */
function exampleHint(expected: string): string {
  const example = /such as (.+?)(?: \(.*\))?$/.exec(expected)?.[1];
  return `write ${example ? `for example ${example}` : expected}`;
}

function choiceHint(value: unknown, choices: string[]): string {
  const near = typeof value === 'string' ? nearest(value, choices) : undefined;
  return near ? `did you mean ${near}?` : `write one of ${choices.join(', ')}`;
}

function typeHint(issue: Issue, value: unknown, source: string): string | undefined {
  const wanted = issue.code === 'invalid_type' ? issue.expected : '';
  const safe = literalIn(source) ? undefined : source;
  if (value === null) return 'write a value after the colon, or delete the line';
  if (wanted === 'string' && ['number', 'boolean'].includes(typeof value)) {
    if (issue.message.startsWith('a duration')) return `say the unit: write ${safe}s or ${safe}m`;
    if (issue.message.startsWith('a size'))
      return `say the unit: write ${safe}${/such as \d+(\w+)/.exec(issue.message)?.[1]}`;
    return safe && `put it in quotes: "${safe}"`;
  }
  if (wanted === 'array' && typeof value === 'string' && !literalIn(value)) {
    if (value.trim() === '') return undefined;
    return `write a list: ${issue.message.includes('words') ? listOf(value) : `[${yamlWord(value).slice(0, 200)}]`}`;
  }
  if ((wanted === 'number' || wanted === 'int') && typeof value === 'string') return 'write the number without quotes';
  return undefined;
}

/** Looking for what was meant is the costly part: only as many keys as a person reads get it. */
const mostSuggestions = 100;

function unknownKey(document: Document, path: Path, key: string, index: number): Problem {
  const full = [...path, key];
  const level = levelOf(path);
  const where = level === '' ? 'at the top level' : `under ${pathText(path)}`;
  return {
    file: document.file,
    ...document.keyAt(full),
    path: pathText(full),
    code: 'unknown-key',
    message: `${shown(key)} is no field ${where}`,
    hint: index < mostSuggestions ? unknownKeyHint(level, key) : 'delete it',
  };
}

/** The value as a problem shows it: secrets and what looks like one masked, nothing for lists and mappings. */
function valueText(value: unknown, source: string | undefined, secret: boolean): string {
  if (typeof value === 'object') return '';
  const text = typeof value === 'string' ? value : (source ?? String(value));
  if (secret) return masked(text);
  return typeof value === 'string' ? shown(text) : shown(text).slice(1, -1);
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  const kinds: Readonly<Record<string, string>> = { object: 'a mapping', string: 'a text', boolean: 'true or false' };
  if (typeof value === 'number') return Number.isInteger(value) ? 'a whole number' : 'a number';
  return kinds[typeof value] ?? typeof value;
}

/** The value at a path, or undefined; own properties only. */
export function valueAt(value: unknown, path: Path): unknown {
  let here: unknown = value;
  for (const part of path) {
    if (here === null || typeof here !== 'object' || !Object.hasOwn(here, part)) return undefined;
    here = (here as Record<string | number, unknown>)[part];
  }
  return here;
}

const samples: Readonly<Record<string, string>> = {
  description: "description: Scores yesterday's prospects and writes the outbound list.",
  owner: 'owner: { email: dana@contoso.com, department: Sales }',
  'owner.email': 'email: dana@contoso.com',
  'owner.department': 'department: Sales',
  tier: 'tier: standard',
  data: 'data: internal',
  run: 'run: { command: [python, score_prospects.py] }',
  'run.command': 'command: [python, score_prospects.py]',
  'schedule.cron': 'cron: "0 7 * * 1-5"',
};

function missingHint(path: string): string {
  const sample = samples[path.replace(/\[\d+\]/g, '')];
  return sample ? `add it, for example  ${sample}` : 'add it';
}
