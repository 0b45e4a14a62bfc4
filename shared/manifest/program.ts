import { nearest } from '../nearest.ts';
import { argsPaths, wordsAt } from './command.ts';
import type { Document } from './document.ts';
import type { Folder } from './folder.ts';
import { sourceLimit } from './imports.ts';
import { valueAt } from './issue.ts';
import { literalIn, shown } from './literal.ts';
import type { Path } from './place.ts';
import type { Problem } from './problem.ts';
import { pythonProblems } from './python-program.ts';
import { problem } from './rule.ts';
import { shells, takesWords, whatShellRuns } from './shell.ts';
import { textProblems } from './text.ts';
import { lineOf, shellList, yamlWord } from './words.ts';
import { programAt } from './wrapper.ts';

/** What the command is to run: whether it is there, and whether it can run. */

export async function programProblems(document: Document, folder: Folder, place: string): Promise<Problem[]> {
  const command = valueAt(document.value, ['run', 'command']);
  if (!Array.isArray(command) || !command.every((word) => typeof word === 'string')) return [];
  const at = programAt(command);
  const program = command[at ?? 0] ?? '';
  // An empty word is a problem by itself.
  if (at === undefined || literalIn(program) || command.includes('')) return [];
  if (/^python(3(\.\d+)?)?$/.test(program)) return pythonProblems(document, command, at, folder, place);
  if (shells.test(program)) return shellProblems(document, command, at, folder);
  return fileProblems(document, command, at, folder);
}

/** `[bash, run.sh]`: a shell takes the CR of a Windows line end for a part of the command. */
async function shellProblems(document: Document, command: string[], shell: number, folder: Folder): Promise<Problem[]> {
  const runs = whatShellRuns(command, shell);
  if (runs.what === 'nothing') {
    const message = `${shown(command.slice(shell).join(' '))} runs nothing, since standard input is empty; expected a script, or a command after -c`;
    const hint = `write [${command[shell]}, run.sh], or [${command[shell]}, -c, "…"]`;
    return [problem(document, ['run', 'command'], 'missing-script', message, hint)];
  }
  const { at } = runs;
  if (runs.what === 'line') return ignoredProblems(document, command, shell, at);
  const name = command[at] ?? '';
  const script = name.replace(/^(\.\/)+/, '');
  const text = await folder.read(script, sourceLimit);
  if (text && (script.endsWith('.py') || /^#!.*\bpython/.test(text.toString('latin1', 0, 100)))) {
    const message = `${shown(name)} is written in Python, which ${command[shell]} cannot run; expected python`;
    return [problem(document, ['run', 'command', at], 'not-a-shell', message, `write [python, ${script}]`)];
  }
  if (text) return textProblems(document, at, script, text);
  // -o takes a word, and so may others: only what can be nothing but a file is missed.
  if (literalIn(name) || at > shell + 1 || name.startsWith('/')) return [];
  const near = nearest(script, folder.files);
  const message = `${shown(name)} is not in the job's folder; expected the script that ${command[shell]} runs`;
  return [
    problem(document, ['run', 'command', at], 'missing-script', message, near ? `did you mean ${near}?` : 'add it'),
  ];
}

/** `[sh, -c, python, main.py]`: a shell runs one word, and the line in it may read the others as $0, $1 and so on. */
function ignoredProblems(document: Document, command: string[], shell: number, at: number): Problem[] {
  const [line = '', ...rest] = command.slice(at);
  const lists = argsPaths(document).filter((path) => wordsAt(document, path)?.length);
  const list = (words: string[]) => `[${[...command.slice(0, at), ...words].map(yamlWord).join(', ').slice(0, 200)}]`;
  const bare = command[shell + 1] === '-c' && at === shell + 2;
  const whole = (all: string) => (bare ? shellList(all, command.slice(0, shell + 1)) : list([all]));
  const ignored = (path: Path, says: string, hint: string) => {
    const message = `${shown(String(valueAt(document.value, path)))} ${says}`;
    return problem(document, path, 'ignored-word', message, hint);
  };
  const next = ['run', 'command', at + 1];
  const example = '[sh, -c, "python main.py \\"$@\\"", sh]';
  if (!takesWords(line)) {
    const says = `is ignored by ${command[shell]}; expected the whole line in the one word after -c`;
    const hint = `write "$@" where the line needs it, and sh after the line: ${example}`;
    return [
      ...(rest.length > 0 ? [ignored(next, says, `write ${whole([line, lineOf(rest)].join(' '))}`)] : []),
      ...lists.map((path) => ignored([...path, 0], says, hint)),
    ];
  }
  if (/\$\{?0/.test(line)) return [];
  const says = 'is $0 there, which the line does not read; expected a name of the shell before it';
  if (rest.length === 1 && lists.length === 0) return [ignored(next, says, `write ${list([line, 'sh', ...rest])}`)];
  if (rest.length > 0) return [];
  return lists.map((path) => ignored([...path, 0], says, `write sh after the line: ${example}`));
}

/** `[./run.sh]`: a program of the folder. */
async function fileProblems(document: Document, command: string[], at: number, folder: Folder): Promise<Problem[]> {
  const program = command[at] ?? '';
  const path = ['run', 'command', at];
  const inside = program.replace(/^(\.\/)+/, '');
  const file = await folder.read(inside, sourceLimit);
  if (!program.includes('/')) {
    if (!file) return hostProblems(document, program, path, folder);
    const message = `${shown(program)} is looked for on the PATH; expected a path, since it is a file of the job`;
    return [
      problem(
        document,
        path,
        'not-on-path',
        message,
        inside.endsWith('.py') ? `write [python, ${inside}]` : `write ./${inside}`,
      ),
    ];
  }
  if (program.startsWith('/')) return [];
  if (!file) {
    const near = nearest(inside, folder.files);
    const message = `${shown(program)} is not in the job's folder; expected the program to run`;
    const environment = /(^|\/)bin\/python[\d.]*$/.test(program);
    const hint = environment
      ? 'write python: packages come from the uv.lock of the job'
      : near
        ? `did you mean ./${near}?`
        : 'add it';
    return [problem(document, path, 'missing-script', message, hint)];
  }
  const wrong = textProblems(document, at, inside, file);
  if (wrong.length > 0) return wrong;
  if (!folder.executable(inside)) {
    const with_ = inside.endsWith('.py') ? `[python, ${inside}]` : `[sh, ${inside}]`;
    const message = `${shown(program)} may not be executed; expected the execute permission`;
    return [problem(document, path, 'not-executable', message, `chmod +x ${inside}, or write ${with_}`)];
  }
  if (!/^#!|^\x7fELF/.test(file.subarray(0, 4).toString('latin1'))) {
    const message = `${shown(program)} does not begin with #!; the system does not know what runs it`;
    const with_ = inside.endsWith('.py') ? `[python, ${inside}]` : `begin it with #!/bin/sh`;
    return [problem(document, path, 'no-shebang', message, `write ${with_}`)];
  }
  return [];
}

/** Programs that every image with Python has: those of coreutils, findutils, grep, sed, tar and gzip that jobs use. */
const everywhere = new Set(
  (
    'awk basename cat chmod cp cut date dirname echo env expr false find grep gzip head ln ls md5sum mkdir mktemp mv nice ' +
    'nohup perl printf rm sed seq sha256sum sleep sort stdbuf tail tar tee test timeout touch tr true uniq wc xargs'
  ).split(' '),
);
/** Programs that a job does without, and what to write instead. */
const instead: readonly [name: RegExp, says: string, hint: string][] = [
  [
    /^(uv|poetry|pipenv|pdm|hatch|rye|conda|mamba|micromamba|pyenv)$/,
    'makes an environment of its own; the packages of a job come from its uv.lock',
    'write [python, …], and uv lock',
  ],
  [
    /^pip[\d.]*$/,
    'installs packages anew in each run; the packages of a job come from its uv.lock',
    'name them in the folder of the job: uv init --bare && uv add <package>, and write [python, …]',
  ],
  [/^python2\./, 'is not in the image of jobs; expected python3', 'write python3'],
  [/^sudo$/, 'runs a program as root; a job has no root rights', 'delete sudo'],
];

/** A program of the PATH that neither the image of jobs nor the job's own packages are known to bring. */
function hostProblems(document: Document, program: string, path: Path, { files }: Folder): Problem[] {
  if (/^python\d?$/i.test(program)) {
    const old = program.startsWith('python');
    const why = old ? 'is not in the image of jobs' : 'is no program: on Linux small letters are not capitals';
    const python = old ? 'python3' : 'python';
    const message = `${shown(program)} ${why}; expected ${python}`;
    return [problem(document, path, 'unknown-program', message, `write ${python}`)];
  }
  const [, says, hint] = instead.find(([name]) => name.test(program)) ?? [];
  if (says && hint) {
    return [{ ...problem(document, path, 'host-program', `${shown(program)} ${says}`, hint), severity: 'warning' }];
  }
  // A package may bring it.
  if (everywhere.has(program) || files.includes('uv.lock')) return [];
  const message = `${shown(program)} is not in the image of jobs; it runs only where the machine has it`;
  const other = 'do it in Python, or give the image another base that has it: docs/containers.md';
  return [{ ...problem(document, path, 'host-program', message, other), severity: 'warning' }];
}
