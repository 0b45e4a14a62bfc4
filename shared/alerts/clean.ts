import { stripVTControlCharacters } from 'node:util';
import { withoutQueries } from '../text.ts';

/** The one gate for what a job, a repository or another system wrote, before it goes into a message. */

/** Controls, marks that turn the direction of writing, and characters without a width: they can hide or fake a text. */
const unseen = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** One line, at most `most` characters, with a mark where it was cut; addresses without their queries. */
export function line(text: string, most: number): string {
  // Cut before the rest is done: an error of a megabyte costs no more than one of a kilobyte.
  const some = text.slice(0, most * 4 + 1_000);
  const plain = seen(some.replace(/\s+/g, ' ')).trim();
  return plain.length <= most && some.length === text.length ? plain : cut(plain, most);
}

/** The last `most` lines of a text that hold anything, each cut to `width`. */
export function lastLines(text: string, most: number, width: number): string[] {
  const end = text.slice(-most * width * 4);
  const lines = end.split(/\r\n|\n|\r/).map((one) => {
    const plain = seen(one.slice(0, width * 4).replaceAll('\t', '    ')).trimEnd();
    return plain.length <= width ? plain : cut(plain, width);
  });
  return lines.filter((one) => one !== '').slice(-most);
}

function seen(text: string): string {
  return withoutQueries(stripVTControlCharacters(text)).replace(unseen, '').toWellFormed();
}

/** Half of a pair of surrogates is no character: some receivers refuse the whole message for it. */
function cut(text: string, most: number): string {
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
