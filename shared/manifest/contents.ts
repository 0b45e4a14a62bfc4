import { commandProblems } from './command.ts';
import type { Document } from './document.ts';
import type { Folder } from './folder.ts';
import { valueAt } from './issue.ts';
import type { Problem } from './problem.ts';
import { programProblems } from './program.ts';
import { envProblems } from './template.ts';
import { isUtf16 } from './text.ts';

/** Files that a job needs and its folder does not hold. `place` is how problems call the folder. */
export async function contentProblems(
  document: Document | undefined,
  folder: Folder,
  place: string,
): Promise<Problem[]> {
  const problems = [...lockProblems(folder, place), ...(await encodingProblems(folder, place))];
  if (!document || document.value === undefined) return problems;
  const status = valueAt(document.value, ['status']) ?? 'production';
  if (status === 'production' && !folder.files.some((file) => file.toLowerCase() === 'readme.md')) {
    const message = 'is missing; expected one for a job in production';
    const hint = 'say what the job does, why, and how to run it by hand; or write status: development';
    problems.push({ file: `${place}/README.md`, code: 'missing-readme', message, hint });
  }
  const words = commandProblems(document, folder.files);
  const programs = await programProblems(document, folder, place);
  return [
    ...problems,
    ...words,
    ...envProblems(document),
    // A word that is wrong as it is written names no file.
    ...programs.filter(({ path }) => path === undefined || !words.some((one) => one.path === path)),
  ];
}

/** Texts that uv reads and that Windows' shell has written as UTF-16. */
async function encodingProblems(folder: Folder, place: string): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const file of ['pyproject.toml', 'uv.lock', '.python-version']) {
    const bytes = await folder.read(file, 4_096);
    if (!bytes || !isUtf16(bytes)) continue;
    const message = 'is UTF-16; expected UTF-8';
    problems.push({ file: `${place}/${file}`, code: 'not-utf8', message, hint: 'save it again as UTF-8' });
  }
  return problems;
}

/** Packages that are named but not pinned: nothing would be installed. */
function lockProblems({ files, pyproject }: Folder, place: string): Problem[] {
  if (files.includes('uv.lock')) return [];
  const expected = 'expected a uv.lock next to it, since packages are installed from there only';
  if (pyproject !== undefined && hasDependencies(pyproject)) {
    const message = `names dependencies; ${expected}`;
    return [
      {
        file: `${place}/pyproject.toml`,
        code: 'missing-lock',
        message,
        hint: `run uv lock in ${place} and commit uv.lock`,
      },
    ];
  }
  if (pyproject === undefined && files.includes('requirements.txt')) {
    const hint = `in ${place}: uv init --bare && uv add -r requirements.txt, then delete requirements.txt`;
    const message = `is not read; expected pyproject.toml and uv.lock`;
    return [{ file: `${place}/requirements.txt`, code: 'missing-lock', message, hint }];
  }
  return [];
}

/** Good enough without a TOML parser: comments out, then a list with a text in it, or a line in a table of dependencies. */
function hasDependencies(toml: string): boolean {
  const text = toml.replace(/^\s*#.*$|\s#[^"'\n]*$/gm, '');
  for (const section of text.split(/^(?=\s*\[)/m)) {
    const [head = ''] = section.split('\n');
    if (/^\s*\[project\]/.test(head) && /^\s*dependencies\s*=\s*\[\s*["']/m.test(section)) return true;
    if (/^\s*\[tool\.poetry\.dependencies\]/.test(head) && /^\s*(?!python\b)[\w.-]+\s*=/m.test(section)) return true;
  }
  return false;
}
