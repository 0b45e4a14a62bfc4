import { nearest } from '../nearest.ts';
import { canBeShadowed, isStdlib, needs } from './stdlib.ts';

/** What a job's Python files import, read from their text: no Python is needed to check a job. Pure. */

export interface Import {
  /** Top-level module. */
  name: string;
  /** Counts from 1. */
  line: number;
}

/** Imports at the left margin, so that what is tried, or wanted by one function only, is left out. */
export function importsOf(text: string): Import[] {
  const code = text.replace(/("""|''')[\s\S]*?\1/g, (quoted) => quoted.replace(/[^\n]/g, ''));
  return code.split('\n').flatMap((row, index) =>
    row.split(';').flatMap((statement, part) => {
      const plain = part === 0 ? statement : statement.trim();
      const from = /^from\s+([A-Za-z_]\w*)/.exec(plain)?.[1];
      const names = /^import\s+([^#]+)/.exec(plain)?.[1]?.split(',') ?? [];
      const all = from ? [from] : names.map((name) => /^\s*([A-Za-z_]\w*)/.exec(name)?.[1] ?? '');
      return all.filter(Boolean).map((name) => ({ name, line: index + 1 }));
    }),
  );
}

/** Files below `folder` (`''`: the top) that a script there can import: name → file, or folder with its `/`. */
export function localModules(files: readonly string[], folder: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const start = folder && `${folder}/`;
  for (const file of files) {
    if (!file.startsWith(start) || !file.endsWith('.py')) continue;
    const [first = '', ...rest] = file.slice(start.length).split('/');
    if (rest.length === 0) found.set(first.replace(/\.py$/, ''), file);
    else if (!found.has(first)) found.set(first, `${start}${first}/`);
  }
  return found;
}

/** The file that `python -m name` runs, or undefined when the folder has none. */
export function moduleFile(files: readonly string[], name: string): string | undefined {
  const path = name.replaceAll('.', '/');
  return [`${path}.py`, `${path}/__main__.py`].find((file) => files.includes(file));
}

/** What `python -m name` may have meant, of the folder's own modules. */
export function nearModule(files: readonly string[], name: string): string | undefined {
  const own = files.filter((file) => file.endsWith('.py')).map((file) => file.replace(/(\/__main__)?\.py$/, ''));
  return nearest(
    name,
    own.map((path) => path.replaceAll('/', '.')),
  );
}

/** The library's module among `imported` that needs the one which a file called `own` takes the place of. */
export function shadowedFor(own: string, imported: readonly string[], local: ReadonlyMap<string, string>) {
  if (!canBeShadowed(own)) return undefined;
  return imported.find((name) => name !== own && isStdlib(name) && !local.has(name) && needs(name, own));
}
