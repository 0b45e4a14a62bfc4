import { shown } from './literal.ts';

/** Names of jobs: lower-case words of ASCII letters and digits, joined by single hyphens. */
export const namePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
export const nameLimit = 48;

export interface NameFault {
  code: 'unsafe-name' | 'name-too-long' | 'look-alike-character' | 'bad-name';
  message: string;
  hint: string;
}

/** Words that a program or a file system takes for something else than a name. */
const reserved = /^(constructor|prototype|con|prn|aux|nul|com\d|lpt\d)$/;

/** What is wrong with a job's name, or undefined when it is safe as a folder, a row key, a URL and a shell word. */
export function nameFault(name: string): NameFault | undefined {
  const expected = `expected lower-case words joined by hyphens, at most ${nameLimit} characters`;
  const instead = suggestion(name);
  const hint = instead ? `call the folder ${instead}` : 'call the folder by what the job does, e.g. score-prospects';
  const foreign = /[^\x20-\x7e]/u.exec(name.normalize('NFC'))?.[0];
  if (foreign) {
    const what = `the character ${characterText(foreign)}`;
    return { code: 'look-alike-character', message: `${shown(name)} holds ${what}; ${expected}, ASCII only`, hint };
  }
  if (reserved.test(name) || name.startsWith('__') || /(^|[\\/])\.\.?([\\/]|$)/.test(name)) {
    const message = `${shown(name)} has a meaning of its own to a program or a file system; ${expected}`;
    return { code: 'unsafe-name', message, hint: 'choose another name, e.g. score-prospects' };
  }
  if (name.length > nameLimit) {
    const message = `${shown(name)} has ${name.length} characters; expected at most ${nameLimit}`;
    return { code: 'name-too-long', message, hint: 'shorten it: the name is part of keys, URLs and messages' };
  }
  if (!namePattern.test(name)) return { code: 'bad-name', message: `${shown(name)} is no job name; ${expected}`, hint };
  return undefined;
}

/**
 * Two names with one skeleton are one name to a hurried reader: `score-b1ll` and `scorebill`. The mapping follows the
 * idea of Unicode TR 39 (confusables), for the few letters that job names may have.
 */
export function skeleton(name: string): string {
  return name
    .replace(/-/g, '')
    .replace(/0/g, 'o')
    .replace(/[1i]/g, 'l')
    .replace(/5/g, 's')
    .replace(/rn/g, 'm')
    .replace(/vv/g, 'w');
}

const scripts = ['Cyrillic', 'Greek', 'Armenian', 'Hebrew', 'Arabic', 'Han', 'Hiragana', 'Katakana', 'Hangul', 'Latin'];
/** Latin letters that have a twin elsewhere; the twins stand at the same position. */
const twins: readonly [ascii: string, others: string][] = [
  ['aceijopsxyh', 'асеіјорѕхуһ'],
  ['ovnutkpa', 'ονηυτκρα'],
  ['i', 'ı'],
];

/** `"с" (U+0441, Cyrillic, looks like the letter c)`; an invisible one is named by its number alone. */
function characterText(character: string): string {
  const number = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  if (/\p{C}|\p{Z}/u.test(character)) return `${number} (invisible)`;
  const script = scripts.find((name) => new RegExp(`\\p{Script=${name}}`, 'u').test(character)) ?? 'not ASCII';
  const twin = asciiOf(character);
  return `"${character}" (${number}, ${script}${twin ? `, looks like the letter ${twin}` : ''})`;
}

function asciiOf(character: string): string | undefined {
  for (const [ascii, others] of twins) {
    const at = [...others].indexOf(character);
    if (at >= 0) return ascii[at];
  }
  const compatible = character.normalize('NFKD').replace(/\p{M}/gu, '');
  return /^[a-z0-9]$/i.test(compatible) ? compatible.toLowerCase() : undefined;
}

/** A valid name as near as can be, or undefined. */
function suggestion(name: string): string | undefined {
  const ascii = [...name.normalize('NFC')].map((c) => (c > '\x7e' ? (asciiOf(c) ?? '-') : c)).join('');
  const words = ascii
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  const instead = (words ?? [])
    .join('-')
    .replace(/^[\d-]+/, '')
    .slice(0, nameLimit)
    .replace(/-$/, '');
  return namePattern.test(instead) && !reserved.test(instead) ? instead : undefined;
}
