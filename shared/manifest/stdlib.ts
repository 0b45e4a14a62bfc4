import stdlib from './stdlib.json' with { type: 'json' };

/** Python's standard library, as far as names go; the data are made by `stdlib.py` from 3.11 to 3.13. */

const modules: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(stdlib.modules));
const loaded: ReadonlySet<string> = new Set(stdlib.loaded);

export function isStdlib(name: string): boolean {
  return modules.has(name);
}

/** Whether a file of this name beside a script takes the place of Python's own module. */
export function canBeShadowed(name: string): boolean {
  return modules.has(name) && !loaded.has(name);
}

/** Whether importing `name` imports `wanted`, directly or through other modules of the library. */
export function needs(name: string, wanted: string): boolean {
  const seen = new Set<string>();
  const open = [name];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (one === wanted) return true;
    if (seen.has(one)) continue;
    seen.add(one);
    open.push(...(modules.get(one) ?? []));
  }
  return false;
}
