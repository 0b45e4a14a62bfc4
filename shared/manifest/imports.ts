import type { Document } from './document.ts';
import type { Folder } from './folder.ts';
import { valueAt } from './issue.ts';
import type { Problem } from './problem.ts';
import { importsOf, localModules, shadowedFor } from './python.ts';
import { canBeShadowed, isStdlib } from './stdlib.ts';

/** What a script imports, followed through its folder: what hides a module of Python's own, and what nothing brings. */

/** As much of a file as is read for its imports. */
export const sourceLimit = 256 * 1024;
/** As many files as a script's imports are followed through. */
const mostSources = 200;

/** Follows the imports of a script through the folder. @param home the folder that Python looks in first */
export async function importProblems(document: Document, script: string, home: string, folder: Folder, place: string) {
  const local = localModules(folder.files, home);
  const imported = new Map<string, { file: string; line: number }>();
  const seen = new Set<string>();
  const open = [script];
  for (let file = open.shift(); file !== undefined && seen.size < mostSources; file = open.shift()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const { name, line } of importsOf((await folder.read(file, sourceLimit))?.toString() ?? '')) {
      if (!imported.has(name)) imported.set(name, { file, line });
      const target = local.get(name);
      if (target)
        open.push(
          ...(target.endsWith('/')
            ? folder.files.filter((one) => one.startsWith(target) && one.endsWith('.py'))
            : [target]),
        );
    }
  }
  return [
    ...shadowProblems(local, [...imported.keys()], script, place),
    ...hostProblems(document, imported, local, folder, place),
  ];
}

/** Modules that are there before any script: their names are free. */
function isAlways(name: string): boolean {
  return isStdlib(name) && !canBeShadowed(name);
}

/** Files that take the place of modules of Python's own, and a script that has the name of what it imports. */
function shadowProblems(
  local: ReadonlyMap<string, string>,
  imported: string[],
  script: string,
  place: string,
): Problem[] {
  return [...local].flatMap(([own, file]) => {
    const by =
      shadowedFor(own, imported, local) ??
      (file === script && !isAlways(own) ? imported.find((name) => name === own) : undefined);
    const other = `${own}_job${file.endsWith('/') ? '' : '.py'}`;
    const hint = `rename it, for example ${other}`;
    if (by) {
      const taken = isStdlib(own) ? `Python's own module ${own}` : `the package ${own}`;
      const message = `takes the place of ${taken}, which ${by === own ? 'the script imports' : `${by} needs`}; expected another name`;
      return [{ file: `${place}/${file.replace(/\/$/, '')}`, code: 'shadows-library', message, hint }];
    }
    if (!canBeShadowed(own) || !imported.includes(own)) return [];
    const message = `is what import ${own} gets here, not Python's own module of that name`;
    return [
      {
        file: `${place}/${file.replace(/\/$/, '')}`,
        code: 'shadows-library',
        message,
        hint,
        severity: 'warning' as const,
      },
    ];
  });
}

/** Packages that nothing of the job brings: they are there on one machine and missing on the next. */
function hostProblems(
  document: Document,
  imported: ReadonlyMap<string, { file: string; line: number }>,
  local: ReadonlyMap<string, string>,
  folder: Folder,
  place: string,
): Problem[] {
  if (folder.files.includes('uv.lock') || valueAt(document.value, ['status']) === 'decommissioned') return [];
  return [...imported]
    .filter(([name]) => !isStdlib(name) && !local.has(name))
    .map(([name, { file, line }]) => {
      const message = `imports ${name}, which neither the job's folder nor a uv.lock brings; it runs only where the machine has it`;
      const hint = `in ${place}: uv init --bare && uv add ${name} (its name on PyPI may differ), then commit uv.lock`;
      return { file: `${place}/${file}`, line, column: 1, code: 'host-package', message, hint, severity: 'warning' };
    });
}
