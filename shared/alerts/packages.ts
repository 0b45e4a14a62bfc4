import type { PackageChange } from './changes.ts';

/** Packages of a uv.lock by name. Each stands as a table `[[package]]` with `name` and `version` first. */
export function packagesOf(lock: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', version = ''] of lock.matchAll(
    /^\[\[package\]\]\r?\nname = "([^"\n]{1,200})"\r?\nversion = "([^"\n]{1,100})"/gm,
  )) {
    // One package may be locked in several versions, for several platforms.
    found.set(name, found.has(name) ? `${found.get(name)}, ${version}` : version);
  }
  return found;
}

/** What differs between two uv.lock files, by name. */
export function packageChanges(before: string, after: string): PackageChange[] {
  const [a, b] = [packagesOf(before), packagesOf(after)];
  const names = [...new Set([...a.keys(), ...b.keys()])].sort();
  return names
    .map((name) => ({ name, from: a.get(name) ?? null, to: b.get(name) ?? null }))
    .filter(({ from, to }) => from !== to);
}
