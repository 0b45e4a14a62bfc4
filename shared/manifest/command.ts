import type { Document } from './document.ts';
import { valueAt } from './issue.ts';
import { literalIn, shown } from './literal.ts';
import type { Path } from './place.ts';
import type { Problem } from './problem.ts';
import { problem } from './rule.ts';
import { shells, takesWords, whatShellRuns } from './shell.ts';
import { templateIn } from './template.ts';
import { lineOf, listOf, quoted, shellList, yamlWord } from './words.ts';
import { programAt } from './wrapper.ts';

/** Words of a command that only a shell would understand, or that a word processor has changed. No shell reads them. */

interface Fault {
  code: string;
  says: string;
  hint: string;
  severity?: 'warning';
}

const quotes = /[“”„‟‘’‚‛«»‹›]/gu;
const dashes = /^[‐‑‒–—―−]+/u;
const interpreter = /^\S*\/(python[\d.]*|(ba|da|k|z)?sh|uv|node|perl|ruby|java)\s/;
const builtins = /^(cd|source|\.|export|set|unset|alias|eval|exec|ulimit|umask|trap|if|for|while)$/;

/** Every word of `run.command` and of the schedules' `args` that cannot mean what it was written for. */
export function commandProblems(document: Document, files: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const command = wordsAt(document, ['run', 'command']);
  const isRead = command ? readByShell(command) : () => false;
  const all = lineOf(command ?? []);
  const program = programAt(command ?? []) ?? 0;
  const lists: Path[] = [['run', 'command'], ...argsPaths(document)];
  for (const path of lists) {
    const words = wordsAt(document, path) ?? [];
    const isCommand = path[0] === 'run';
    for (const [index, word] of words.entries()) {
      if (literalIn(word) || (isCommand && isRead(index))) continue;
      const before = words[index - 1] ?? '';
      if (before === '-c' || before === '-e') continue; // a program of its own: python -c "…"
      const wrong = isCommand && index === program ? programFault(word, words, files) : undefined;
      const fault = wrong ?? wordFault(word, { before, after: words[index + 1], all });
      if (!fault) continue;
      const { code, says, hint, severity } = fault;
      const found = problem(document, [...path, index], code, `${shown(word)} ${says}`, hint);
      problems.push(severity ? { ...found, severity } : found);
    }
  }
  return problems;
}

/** Whether a word is the line that a shell reads, or one behind it that the shell ignores, which is said elsewhere. */
function readByShell(command: readonly string[]): (index: number) => boolean {
  const shell = programAt(command) ?? 0;
  const runs = shells.test(command[shell] ?? '') ? whatShellRuns(command, shell) : undefined;
  if (runs?.what !== 'line') return () => false;
  const ignores = !takesWords(command[runs.at] ?? '');
  return (index) => index === runs.at || (ignores && index > runs.at);
}

function programFault(word: string, words: readonly string[], files: readonly string[]): Fault | undefined {
  if (/^[A-Za-z_]\w*=/.test(word)) {
    const [name = '', value = ''] = word.split(/=(.*)/s);
    const says = 'sets a variable, which takes a shell; expected a program';
    return {
      code: 'shell-syntax',
      says,
      hint: `write env: { ${name}: ${JSON.stringify(value)} } and leave it out here`,
    };
  }
  if (builtins.test(word)) {
    const hint = `${toShell(lineOf(words))}, or do it in the script: it starts in the job's folder`;
    return { code: 'shell-syntax', says: 'is a command of a shell; expected a program', hint };
  }
  if (/^([A-Za-z]:)?([^/]*\\)*(py|py(thon[\d.]*)?\.exe)$/i.test(word)) {
    return { code: 'windows-program', says: 'is a program of Windows; expected python', hint: 'write python' };
  }
  if (/^[A-Za-z]:[\\/]|\.(exe|bat|cmd|ps1)$|^(cmd|powershell)$/i.test(word)) {
    const says = 'is a program of Windows; expected one of Linux';
    return { code: 'windows-program', says, hint: 'write [python, …], and do in the script what it does' };
  }
  // A program's path may have a blank in it.
  const isPath = files.includes(word.replace(/^(\.\/)+/, '')) || (word.startsWith('/') && !interpreter.test(word));
  if (!/\s/.test(word) || isPath) return undefined;
  const says = 'is several words in one; expected the program alone';
  return { code: 'one-word', says, hint: `write ${listOf([word, ...words.slice(1).map(quoted)].join(' '))}` };
}

/** The words around one, and the whole command. */
interface Around {
  before: string;
  after: string | undefined;
  all: string;
}

/** In quotes as a whole, or one half of it: `“main.py”`, `“python`. A text with quotes inside is left alone. */
function isQuoted(word: string): boolean {
  const [begins, ends] = [/^[“”„‟‘‚‛«‹]/u.test(word), /[“”‟’»›]$/u.test(word)];
  const alone = word.match(quotes)?.length === 1 && !word.endsWith('’');
  return (begins && ends && word.length > 2) || ((begins || ends) && alone);
}

function wordFault(word: string, around: Around): Fault | undefined {
  if (isQuoted(word)) {
    const plain = word.replace(quotes, '');
    const says = 'holds quotes of a word processor; expected plain text';
    return { code: 'typographic', says, hint: `write ${yamlWord(plain)}` };
  }
  if (dashes.test(word) && word.length > 1) {
    const dash = /^[–—―]/u.test(word) && word.length > 2 && !/^.\w$/u.test(word) ? '--' : '-';
    const says = 'begins with a dash of a word processor; expected - or --';
    return { code: 'typographic', says, hint: `write ${word.replace(dashes, dash)}` };
  }
  const template = templateIn(word);
  return template ? { code: 'template', ...template } : shellFault(word, around);
}

const toShell = (all: string) => `write ${shellList(all)}`;

function shellFault(word: string, { before, after, all }: Around): Fault | undefined {
  const fault = (what: string, hint: string): Fault => ({
    code: 'shell-syntax',
    says: `${what}; no shell reads this list`,
    hint,
  });
  const ended = /^[^;\s'"]+;$/.test(word) && (after !== undefined || /\.\w+;$/.test(word));
  if (word === '&' && after === undefined) {
    return fault('leaves a program in the background', 'delete it (and nohup): the service waits for the job');
  }
  if (word === '&') {
    return fault('leaves a program in the background', 'call both from one script, or make two jobs joined by inputs');
  }
  if (/^(&&|\|\||;)$/.test(word) || ended) {
    return fault('joins commands', `${toShell(all)}, call both from one script, or make two jobs joined by inputs`);
  }
  if (/^\|&?$/.test(word)) return fault('pipes one program into another', `${toShell(all)}, or do it in the script`);
  if (/^([12]?|&)>>?&\d$/.test(word)) {
    return fault('redirects output', 'delete it: the log keeps standard output and standard error, in order');
  }
  if (/^([12]?|&)>>?\|?($|[^=\s])/.test(word)) {
    return fault(
      'redirects output',
      'delete it: the log keeps what is printed; the script can write files, see outputs',
    );
  }
  if (/^\d?<{1,3}($|[^=\s<>]+$)/.test(word) && !/>$/.test(word)) {
    return fault('redirects input', "let the script open the file: its path is relative to the job's folder");
  }
  if (/^~(\/|[a-z]|$)/.test(word) || /=~\//.test(word)) {
    return fault('names a home folder', "write a path inside of the job's folder, such as data/crm.csv");
  }
  if (/`[^`]*`|\$\(/.test(word))
    return fault('holds a command to run first', `${toShell(all)}, or do it in the script`);
  const variable = /\$\{?([A-Za-z_]\w*)/.exec(word)?.[1];
  if (variable) {
    return fault(
      'holds a variable',
      `read it in the script, as os.environ[${JSON.stringify(variable)}], or ${toShell(all)}`,
    );
  }
  if (/^%\w+%$/.test(word)) return fault('holds a variable of Windows', 'read it in the script, from os.environ');
  return globFault(word, before, fault);
}

/** A pattern after a flag may be meant for the program: then it is only a warning. */
function globFault(word: string, before: string, fault: (what: string, hint: string) => Fault): Fault | undefined {
  const pattern =
    /^[^\s=:^$()|\\]*(\*|\?[\w.?-]*\.\w+$|\[(?!\d+\])[\w!-]+\][\w*?-]*\.\w+$)[^\s=:^$()|\\]*$|\{[A-Za-z][\w.-]*(,[\w.-]*)+\}/;
  const value = /^--?[\w-]+=(.*)$/.exec(word)?.[1];
  if (!pattern.test(value ?? word) || /^-/.test(value ?? word)) return undefined;
  const found = fault('is a pattern of file names', 'name each file, or let the script look with pathlib.Path().glob');
  return value !== undefined || before.startsWith('-') ? { ...found, severity: 'warning' } : found;
}

/** The list of words at a path; undefined where there is none. */
export function wordsAt(document: Document, path: Path): string[] | undefined {
  const value = valueAt(document.value, path);
  return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : undefined;
}

/** Where schedules have words that their runs get after the command. */
export function argsPaths(document: Document): Path[] {
  const value = valueAt(document.value, ['schedule']);
  return Array.isArray(value) ? value.map((_, index) => ['schedule', index, 'args']) : [['schedule', 'args']];
}
