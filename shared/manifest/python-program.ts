import { nearest } from '../nearest.ts';
import type { Document } from './document.ts';
import type { Folder } from './folder.ts';
import { importProblems, sourceLimit } from './imports.ts';
import { literalIn, shown } from './literal.ts';
import type { Problem } from './problem.ts';
import { localModules, moduleFile, nearModule } from './python.ts';
import { problem } from './rule.ts';
import { isStdlib } from './stdlib.ts';
import { isUtf16, textProblems } from './text.ts';
import { yamlWord } from './words.ts';

/** What `python …` runs: a file, a module, or something that its folder need not have; `at` is the word that says so. */
export type Runs =
  | { what: 'script' | 'module'; name: string; at: number }
  | { what: 'nothing'; at: number | undefined }
  // A prompt after the script, an option that python does not have, or one that prints and ends before what follows.
  | { what: 'option'; fault: 'prompt' | 'stray' | 'print'; at: number }
  | { what: 'other' };

/**
 * Reads a command as python reads its command line: options may be written together, and some take a word.
 * @param python its index in the command
 * Source: https://docs.python.org/3/using/cmdline.html
 */
export function whatPythonRuns(command: readonly string[], python: number): Runs {
  let prompt: number | undefined;
  const after = (runs: Runs): Runs =>
    prompt === undefined || runs.what === 'nothing' ? runs : { what: 'option', fault: 'prompt', at: prompt };
  const prints = (at: number): Runs =>
    at < command.length - 1 ? { what: 'option', fault: 'print', at } : { what: 'other' };
  for (let at = python + 1; at < command.length; at += 1) {
    const word = command[at] ?? '';
    if (word === '--') return after(scriptAt(command, at + 1));
    if (!word.startsWith('-') || word === '-') return after(scriptAt(command, at));
    if (/^--(version|help(-\w+)?)$/.test(word)) return prints(at);
    if (word === '--check-hash-based-pycs') {
      at += 1;
      continue;
    }
    const [, letters = '', letter = '', rest = ''] = /^-([bBdEiIOPqRsStuvx]*)([cmWXVh?]?)(.*)$/s.exec(word) ?? [];
    if (letters.includes('i')) prompt ??= at;
    if (letter === '') {
      if (rest !== '') return { what: 'option', fault: 'stray', at };
      continue;
    }
    const value = rest || command[at + 1];
    if ('cm'.includes(letter) && value === undefined) return { what: 'nothing', at };
    if (letter === 'm') return after({ what: 'module', name: value ?? '', at: rest ? at : at + 1 });
    if (letter === 'c') return after({ what: 'other' });
    if (letter !== 'W' && letter !== 'X') return prints(at);
    if (!rest) at += 1;
  }
  return { what: 'nothing', at: undefined };
}

function scriptAt(command: readonly string[], at: number): Runs {
  const name = command[at];
  return name === undefined || name === '-' ? { what: 'nothing', at: name && at } : { what: 'script', name, at };
}

export async function pythonProblems(
  document: Document,
  command: string[],
  python: number,
  folder: Folder,
  place: string,
) {
  const runs = whatPythonRuns(command, python);
  if (runs.what === 'nothing') return nothingProblems(document, command, python, runs.at, folder);
  if (runs.what === 'option') return [optionProblem(document, command, runs, folder)];
  if (runs.what === 'other' || literalIn(runs.name)) return [];
  const { name, at } = runs;
  const path = ['run', 'command', at];
  if (runs.what === 'module') {
    const problems = moduleProblems(document, name, path, folder);
    const file = moduleFile(folder.files, name);
    return file && problems.length === 0 ? importProblems(document, file, '', folder, place) : problems;
  }
  const script = name.replace(/^(\.\/)+/, '');
  const missing = scriptProblems(document, name, path, folder);
  if (missing.length > 0) return missing;
  const bytes = await folder.read(script, sourceLimit);
  if (!bytes || !script.endsWith('.py')) return [];
  const wrong = isUtf16(bytes) ? textProblems(document, at, script, bytes) : [];
  const home = script.includes('/') ? script.slice(0, script.lastIndexOf('/')) : '';
  return wrong.length > 0 ? wrong : importProblems(document, script, home, folder, place);
}

/** An option with which python does not run the script, or hides that it has failed. */
function optionProblem(
  document: Document,
  command: string[],
  { fault, at }: Extract<Runs, { what: 'option' }>,
  { files }: Folder,
): Problem {
  const word = command[at] ?? '';
  const of = (code: string, says: string, hint: string) =>
    problem(document, ['run', 'command', at], code, `${shown(word)} ${says}`, hint);
  if (fault === 'prompt') {
    const says =
      'opens a prompt after the script, which finds standard input empty and ends as a success, also when the script has failed; expected no i';
    const rest = word.replace('i', '');
    return of('python-option', says, rest === '-' ? 'delete it' : `write ${rest}`);
  }
  if (fault === 'print') {
    return of('python-option', 'prints and ends; python does not run what follows', 'delete it, or what follows it');
  }
  const script = command.findIndex((one, index) => index > at && (one.endsWith('.py') || files.includes(one)));
  const { [script]: name = 'main.py' } = command;
  const others = command.slice(at).filter((_, index) => index + at !== script);
  const list = [...command.slice(0, at), name, ...others].map(yamlWord).join(', ').slice(0, 200);
  return of(
    'python-option',
    'is no option of python; expected the script first',
    `options of the script come after it: [${list}]`,
  );
}

/** Standard input is empty: python reads no statement from it, and ends at once as if all had gone well. */
function nothingProblems(
  document: Document,
  command: string[],
  python: number,
  at: number | undefined,
  { files }: Folder,
): Problem[] {
  const [script = 'score_prospects.py', ...others] = files.filter((file) => /^[^/]+\.py$/.test(file));
  const main = files.includes('main.py') ? 'main.py' : others.length > 0 ? 'score_prospects.py' : script;
  const word = at === undefined ? '' : (command[at] ?? '');
  const path = ['run', 'command', ...(at === undefined ? [] : [at])];
  const message =
    word === '' || word === '-'
      ? 'python is given no script: it would end at once, as a success, with nothing done; expected one'
      : `${shown(word)} has nothing after it; expected what python is to run`;
  const hint = `write [${[...command.slice(0, python + 1), main].map(yamlWord).join(', ')}]`;
  return [problem(document, path, 'missing-script', message, hint)];
}

/** A file, or what python takes for one: a folder or an archive with a `__main__.py`. */
function scriptProblems(document: Document, script: string, path: (string | number)[], { files }: Folder): Problem[] {
  if (/^([/~]|[A-Za-z]:)|\\|(^|\/)\.\.(\/|$)/.test(script)) {
    const message = `${shown(script)} is not inside the job's folder; expected a path such as score_prospects.py`;
    const base = script.split(/[\\/]/).at(-1) ?? '';
    return [problem(document, path, 'unsafe-path', message, `copy the script into the folder and write ${base}`)];
  }
  const inside = script.replace(/^(\.\/)+/, '');
  if (inside.endsWith('.ipynb')) {
    const message = `${shown(script)} is a notebook; expected a script that python runs`;
    const to = inside.replace(/\.ipynb$/, '.py');
    return [problem(document, path, 'notebook', message, `jupyter nbconvert --to script ${inside}, and write ${to}`)];
  }
  if (files.includes(inside) || files.includes(`${inside.replace(/\/+$/, '')}/__main__.py`)) return [];
  const message = `${shown(script)} is not in the job's folder; expected the script that python runs`;
  const scripts = files.filter((file) => file.endsWith('.py'));
  const near = nearest(script, scripts) ?? (scripts.length === 1 ? scripts[0] : undefined);
  return [problem(document, path, 'missing-script', message, near ? `did you mean ${near}?` : 'add it')];
}

/** `python -m name`: of the folder, of Python itself, or of a package. */
function moduleProblems(document: Document, name: string, path: (string | number)[], folder: Folder): Problem[] {
  const [top = ''] = name.split('.');
  if (folder.files.includes(name)) {
    const message = `${shown(name)} is a file; expected the name of a module after -m`;
    return [problem(document, path, 'missing-module', message, `leave -m out, or write ${name.replace(/\.py$/, '')}`)];
  }
  if (moduleFile(folder.files, name) || isStdlib(top)) return [];
  const local = localModules(folder.files, '').has(top);
  const near = nearModule(folder.files, name);
  if (local || near) {
    const message = `${shown(name)} is no module of the job's folder; expected the one that python -m runs`;
    const hint = near ? `did you mean ${near}?` : `add ${name.replaceAll('.', '/')}/__main__.py, or name the script`;
    return [problem(document, path, 'missing-module', message, hint)];
  }
  if (folder.files.includes('uv.lock')) return [];
  const message = `${shown(name)} is neither in the job's folder nor in a uv.lock; it runs only where the machine has it`;
  return [
    { ...problem(document, path, 'host-package', message, `uv init --bare && uv add ${top}`), severity: 'warning' },
  ];
}
