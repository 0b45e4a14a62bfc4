import { nearest } from '../nearest.ts';
import type { Document } from './document.ts';
import type { Folder } from './folder.ts';
import { importProblems, sourceLimit } from './imports.ts';
import { valueAt } from './issue.ts';
import { literalIn, shown } from './literal.ts';
import type { Problem } from './problem.ts';
import { localModules, moduleFile, nearModule } from './python.ts';
import { problem } from './rule.ts';
import { isStdlib } from './stdlib.ts';

/** What the command is to run: whether it is there, and whether it can run. */

export async function programProblems(document: Document, folder: Folder, place: string): Promise<Problem[]> {
  const command = valueAt(document.value, ['run', 'command']);
  if (!Array.isArray(command) || !command.every((word) => typeof word === 'string')) return [];
  const [program = ''] = command;
  if (literalIn(program)) return [];
  if (/^python(3(\.\d+)?)?$/.test(program)) return pythonProblems(document, command, folder, place);
  if (/^(ba|da|k|z)?sh$/.test(program)) return shellProblems(document, command, folder);
  return fileProblems(document, program, folder);
}

/** `[bash, run.sh]`: a shell takes the CR of a Windows line end for a part of the command. */
async function shellProblems(document: Document, command: string[], folder: Folder): Promise<Problem[]> {
  const at = command.findIndex((word, index) => index > 0 && !word.startsWith('-'));
  const script = (command[at] ?? '').replace(/^(\.\/)+/, '');
  const text = command.some((word) => /^-\w*c$/.test(word)) ? undefined : await folder.read(script, sourceLimit);
  return text ? textProblems(document, at, script, text) : [];
}

/** `[./run.sh]`: a program of the folder. */
async function fileProblems(document: Document, program: string, folder: Folder): Promise<Problem[]> {
  const path = ['run', 'command', 0];
  const inside = program.replace(/^(\.\/)+/, '');
  const file = await folder.read(inside, sourceLimit);
  if (!program.includes('/')) {
    if (!file) return [];
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
    return [problem(document, path, 'missing-script', message, near ? `did you mean ./${near}?` : 'add it')];
  }
  const wrong = textProblems(document, 0, inside, file);
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

/** Texts that no interpreter reads as they were meant. */
function textProblems(document: Document, index: number, file: string, bytes: Buffer): Problem[] {
  const path = ['run', 'command', index];
  const wrong = (code: string, says: string, hint: string) => [
    problem(document, path, code, `${shown(file)} ${says}`, hint),
  ];
  if (isUtf16(bytes)) return wrong('not-utf8', 'is UTF-16; expected UTF-8', 'save it again as UTF-8');
  const [first = ''] = bytes.toString('latin1').split('\n', 1);
  if (/^\xef\xbb\xbf#!/.test(first)) {
    return wrong('byte-order-mark', 'has a byte order mark before its #!', 'save it again as UTF-8 without BOM');
  }
  const shell = /\.(ba|z|k)?sh$/.test(file) || /^#!.*\b(ba|da|z|k)?sh\b/.test(first);
  if ((first.startsWith('#!') || shell) && bytes.includes('\r\n')) {
    const hint = `save it with line ends of Unix: sed -i 's/\\r$//' ${file}, and * text eol=lf in .gitattributes`;
    return wrong('windows-line-ends', 'has line ends of Windows (CR LF), which become a part of its commands', hint);
  }
  return [];
}

export function isUtf16(bytes: Uint8Array): boolean {
  const [a, b] = bytes;
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || bytes.subarray(0, 4_096).includes(0);
}

async function pythonProblems(document: Document, command: string[], folder: Folder, place: string) {
  const at = command.findIndex((word, index) => index > 0 && /\.py$|^-[A-Za-z]*[mc]$/.test(word));
  if (/^-\w*c$/.test(command[at] ?? '')) return [];
  const byName = /^-\w*m$/.test(command[at] ?? '');
  const name = command[byName ? at + 1 : at];
  if (name === undefined || literalIn(name)) return [];
  if (byName) {
    const problems = moduleProblems(document, name, at + 1, folder);
    const file = moduleFile(folder.files, name);
    return file && problems.length === 0 ? importProblems(document, file, '', folder, place) : problems;
  }
  const script = name.replace(/^(\.\/)+/, '');
  const bytes = await folder.read(script, sourceLimit);
  if (!bytes) return [];
  const wrong = isUtf16(bytes) ? textProblems(document, at, script, bytes) : [];
  const home = script.includes('/') ? script.slice(0, script.lastIndexOf('/')) : '';
  return wrong.length > 0 ? wrong : importProblems(document, script, home, folder, place);
}

/** `python -m name`: of the folder, of Python itself, or of a package. */
function moduleProblems(document: Document, name: string, index: number, folder: Folder): Problem[] {
  const [top = ''] = name.split('.');
  const path = ['run', 'command', index];
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
